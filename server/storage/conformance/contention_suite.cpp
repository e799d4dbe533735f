// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "server/storage/conformance/store_fixture.hpp"

// Races with one right answer, and random ones with invariants that hold whatever the order.
namespace keyturn::server::conformance {

TEST_P(StoreContention, OneOfManyEndsASession) {
  const User owner = add_user(1);
  for (int round = 1; round <= 5; ++round) {
    const Session opened = open_session(round, owner);
    std::atomic<int> ended{0};
    in_parallel(8, [&](int) {
      const auto outcome = sessions().end(kApp, owner.id, opened.id, EndReason::logged_out, at(200)).value();
      if (outcome == EndOutcome::ended) ++ended;
      EXPECT_TRUE(sessions().find(opened.id).value()->ended)
          << "whoever won, it is over when a call has returned";
    });
    EXPECT_EQ(ended, 1);
  }
}

TEST_P(StoreContention, OneOfManyRegistersAnAddress) {
  std::atomic<int> registered{0};
  in_parallel(16, [&](int i) {
    if (passwords().register_account(account(i, "same@example.com")).value() == RegisterOutcome::registered)
      ++registered;
  });
  EXPECT_EQ(registered, 1);
}

TEST_P(StoreContention, AnIdentityGoesToOneUserOfTwo) {
  for (int round = 0; round < 5; ++round) {
    const User users_of_round[] = {add_user(2 * round + 1), add_user(2 * round + 2)};
    const Identity wanted = identity("anon-user", id('c', 1'000 + round));
    std::atomic<int> linked{0};
    in_parallel(8, [&](int i) {
      if (users().link(kApp, users_of_round[i % 2].id, wanted).value() == LinkOutcome::linked) ++linked;
    });
    EXPECT_EQ(linked, 1);
    EXPECT_EQ(stored(users_of_round[0]).identities.size() + stored(users_of_round[1]).identities.size(), 3U);
  }
}

TEST_P(StoreContention, AnIdentityMakesOneUser) {
  std::atomic<int> created{0};
  in_parallel(16, [&](int i) {
    User candidate = user(i);
    candidate.identities = {identity("custom-token", id('c', 500))};
    if (users().create(candidate).value() == CreateUserOutcome::created) ++created;
  });
  EXPECT_EQ(created, 1);
  EXPECT_EQ(users().list(kApp, {}).value().size(), 1U);
}

TEST_P(StoreContention, ATokenIsUsedOnceByAHundred) {
  const PasswordAccount mine = account(1, "a");
  ASSERT_TRUE(passwords().register_account(mine).has_value());
  ASSERT_TRUE(passwords().add_token(email_token(1, mine, EmailTokenPurpose::reset)).has_value());
  std::atomic<int> done{0};
  std::string winner;
  in_parallel(100, [&](int i) {
    const std::string hash = "by-" + std::to_string(i);
    if (passwords().reset_with_token(kApp, id('7', 1), "token-hash-1", hash, true, at(1)).value() ==
        TokenOutcome::done) {
      if (++done == 1) winner = hash;
    }
  });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(passwords().find(kApp, "a").value()->password_hash, winner);
}

TEST_P(StoreContention, KeysNeverExceedTheLimit) {
  const User owner = add_user(1);
  std::atomic<int> created{0};
  in_parallel(8, [&](int thread) {
    for (int i = 0; i < 5; ++i) {
      const int number = 100 + 5 * thread + i;
      const auto outcome = api_keys().create(api_key(number, owner.id, "k" + std::to_string(number))).value();
      if (outcome == CreateKeyOutcome::created) ++created;
    }
  });
  EXPECT_EQ(created, 20);
  EXPECT_EQ(api_keys().list(kApp, owner.id).value().size(), 20U);
}

// Log-ins that began before the user was disabled, or all sessions were ended, must not be alive after it
// (problem 19).
TEST_P(StoreContention, NoLogInSurvivesADisableOrARevokeAll) {
  for (int round = 0; round < 10; ++round) {
    const User owner = add_user(round);
    std::vector<std::string> opened[6];
    in_parallel(7, [&](int thread) {
      if (thread == 6) {
        if (round % 2 == 0) {
          EXPECT_TRUE(users().set_disabled(kApp, owner.id, true, at(200)).value());
        } else {
          EXPECT_TRUE(sessions().end_all(kApp, owner.id, {}, EndReason::revoked, at(200)).has_value());
        }
        EXPECT_TRUE(sessions().list(kApp, owner.id).value().empty());
        return;
      }
      for (int i = 0; i < 4; ++i) {
        // The generation is the one of the moment before the race, as a log-in reads it before it checks a
        // password.
        const Session wanted = session(1'000 * round + 10 * thread + i, owner);
        if (sessions().open(wanted, 0).value() == OpenOutcome::opened) opened[thread].push_back(wanted.id);
      }
    });
    for (const auto& ids : opened) {
      for (const std::string& each : ids) EXPECT_TRUE(sessions().find(each).value()->ended);
    }
  }
}

TEST_P(StoreContention, NoReaderSeesAnEndedSessionAlive) {
  const User owner = add_user(1);
  constexpr int kSessions = 40;
  for (int i = 0; i < kSessions; ++i) open_session(i, owner);
  std::atomic<int> ended_up_to{-1};
  std::atomic<bool> stop{false};
  in_parallel(5, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < kSessions; ++i) {
        EXPECT_EQ(sessions().end(kApp, {}, id('d', i), EndReason::revoked, at(200)).value(),
                  EndOutcome::ended);
        ended_up_to = i;
      }
      stop = true;
      return;
    }
    std::mt19937 random(static_cast<unsigned>(thread));
    std::vector<bool> seen_ended(kSessions);
    while (!stop) {
      const int acknowledged = ended_up_to;
      const int i = std::uniform_int_distribution(0, kSessions - 1)(random);
      const bool ended = sessions().find(id('d', i)).value()->ended;
      EXPECT_TRUE(ended || i > acknowledged) << "alive after the end was acknowledged";
      EXPECT_TRUE(ended || !seen_ended[static_cast<std::size_t>(i)]) << "came back to life";
      seen_ended[static_cast<std::size_t>(i)] = ended;
    }
  });
}

TEST_P(StoreContention, RandomOperationsKeepTheInvariants) {
  constexpr int kUsers = 4;
  for (int i = 0; i < kUsers; ++i) add_user(i);
  std::atomic<int> next_session{0};
  std::vector<std::string> opened[4];
  in_parallel(4, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(100 + thread));
    const auto pick = [&](int below) { return std::uniform_int_distribution(0, below - 1)(random); };
    for (int step = 0; step < 60; ++step) {
      const User who = user(pick(kUsers));
      const std::optional<User> now = users().find(kApp, who.id).value();
      switch (pick(8)) {
        case 0:
          EXPECT_TRUE(users().set_disabled(kApp, who.id, pick(2) == 0, at(step)).has_value());
          break;
        case 1:
          EXPECT_TRUE(sessions().end_all(kApp, who.id, {}, EndReason::revoked, at(step)).has_value());
          break;
        case 2:
          if (!opened[thread].empty()) {
            const std::string& target = opened[thread].back();
            EXPECT_TRUE(sessions().end(kApp, {}, target, EndReason::logged_out, at(step)).has_value());
            EXPECT_TRUE(sessions().find(target).value()->ended);
          }
          break;
        case 3:
          if (!opened[thread].empty()) {
            EXPECT_TRUE(sessions().touch({{opened[thread].front(), at(1'000 + step)}}).has_value());
            EXPECT_GE(sessions().find(opened[thread].front()).value()->last_used, at(1'000 + step));
          }
          break;
        default: {
          const Session wanted = session(next_session++, who);
          const OpenOutcome outcome = sessions().open(wanted, now->generation).value();
          if (outcome == OpenOutcome::opened) opened[thread].push_back(wanted.id);
          EXPECT_EQ(sessions().find(wanted.id).value().has_value(), outcome == OpenOutcome::opened);
        }
      }
    }
  });
  for (int i = 0; i < kUsers; ++i) {
    const User now = stored(user(i));
    const std::vector<Session> live = sessions().list(kApp, now.id).value();
    EXPECT_TRUE(live.empty() || !now.disabled);
    for (const Session& each : live) EXPECT_FALSE(state(each).ended);
    std::size_t found_live = 0;
    for (const auto& ids : opened) {
      for (const std::string& each : ids) {
        const SessionState found = sessions().find(each).value().value();
        if (found.user_id == now.id && !found.ended) ++found_live;
      }
    }
    EXPECT_EQ(found_live, live.size()) << "what is cached and what is stored agree";
  }
}

}  // namespace keyturn::server::conformance

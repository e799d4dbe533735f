// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/stored_tokens.hpp"

#include <gtest/gtest.h>

#include <random>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;

class StoredTokens : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start(const std::string& boot = "boot-1", std::uint32_t seed = 1) {
    return std::make_unique<Process>(clock, server, stores.open(), boot, seed);
  }
  void log_in(const std::string& name) {
    auto process = start();
    ASSERT_TRUE(process->log_in(password_of(name)));
  }
  [[nodiscard]] TokenBook book() const {
    const auto store = stores.open();
    TokenBook out;
    auto users = store->load();
    for (StoredUser& user : *users) {
      std::string id = user.user_id;
      out.users.emplace(std::move(id), std::move(user));
    }
    out.current = store->current()->value_or("");
    return out;
  }
  [[nodiscard]] std::optional<std::string> given(std::string_view boot = "boot-1",
                                                 std::chrono::seconds min_validity = 10s,
                                                 std::uint32_t chance = 0) const {
    return token_to_hand_out(book(), {boot, clock.boot_now(), clock.wall_now()}, {}, chance, min_validity);
  }
  [[nodiscard]] std::string stored_token(const std::string& user) const {
    return std::string(book().find(user)->access_token.reveal());
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
};

TEST_F(StoredTokens, AreGivenUntilTheirRefreshIsDue) {
  EXPECT_FALSE(given()) << "nobody is known";
  log_in("ada");
  const std::string token = stored_token(book().current);
  EXPECT_EQ(given(), token);
  clock.advance(1295s);  // of 1800; without luck the refresh ahead is due after 72 %
  EXPECT_EQ(given(), token);
  clock.advance(1s);
  EXPECT_FALSE(given());
  EXPECT_EQ(given("boot-1", 10s, 65'535), token) << "others come later";
  clock.advance(504s);
  EXPECT_FALSE(given("boot-1", 0s, 65'535)) << "expired";
}

TEST_F(StoredTokens, StayValidForAsLongAsIsAskedFor) {
  log_in("ada");
  clock.advance(1000s);
  EXPECT_TRUE(given("boot-1", 800s));
  EXPECT_FALSE(given("boot-1", 801s));
}

TEST_F(StoredTokens, WaitForTheRefreshThatConfirmsThemAfterAReboot) {
  log_in("ada");
  clock.advance(100s);
  EXPECT_TRUE(given("boot-1"));
  EXPECT_FALSE(given("boot-2")) << "its age is an estimate";
  EXPECT_FALSE(given(""));
  clock.step_wall(-200s);
  EXPECT_TRUE(given("boot-1")) << "in the same boot the wall clock does not count";
}

TEST_F(StoredTokens, AreThoseOfTheUserWhoActs) {
  log_in("ada");
  log_in("bob");
  const std::string bob = book().current;
  ASSERT_EQ(book().users.size(), 2U);
  EXPECT_EQ(given(), stored_token(bob));
  {
    auto process = start();
    const auto done = process->turn(process->manager->log_out(process->manager->current()));
    ASSERT_TRUE(done);
  }
  for (const auto& [id, user] : book().users) {
    if (id != bob) {
      EXPECT_EQ(given(), user.access_token.reveal());
    }
  }
  {
    auto process = start();
    ASSERT_TRUE(process->turn(process->manager->log_out(process->manager->current())));
  }
  EXPECT_FALSE(given());
}

// The same judgement as an App's, at any age, validity asked for, boot, wall clock and chance.
TEST_F(StoredTokens, AreGivenWhenAndOnlyWhenAnAppWouldGiveThemWithoutARefresh) {
  server.date_header = true;
  log_in("ada");
  int handed_out = 0;
  for (int step = 0; step < 100; ++step, clock.advance(19s)) {
    for (const std::string boot : {"boot-1", "boot-2", ""}) {
      for (const auto min_validity : {0s, 10s, 800s, 5000s}) {
        for (const auto wrong : {-600s, 0s, 600s}) {
          clock.step_wall(wrong);
          const auto seed = static_cast<std::uint32_t>(step);
          auto process = start(boot, seed);
          const auto user = process->manager->current();
          ASSERT_NE(user, nullptr);
          auto pending = process->manager->valid_access_token(user, min_validity);
          const bool as_it_is = pending.is_ready() && !user->ahead_wanted;
          const auto token = given(boot, min_validity, static_cast<std::uint32_t>(std::mt19937(seed)()));
          EXPECT_EQ(token.has_value(), as_it_is) << step << ' ' << boot << ' ' << min_validity.count();
          if (token && as_it_is) {
            EXPECT_EQ(*token, *pending.result());
            ++handed_out;
          }
          clock.step_wall(-wrong);
        }
      }
    }
  }
  EXPECT_GT(handed_out, 500);
}

}  // namespace
}  // namespace keyturn::sdk::testing

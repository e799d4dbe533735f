// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "server/storage/sqlite/sqlite_stores.hpp"
#include "server/storage/sqlite/test_folder.hpp"

namespace keyturn::server::sqlite {
namespace {

constexpr WallTime kMoment{std::chrono::seconds(1'700'000'000)};

std::string hex_id(char first, int number) {
  return std::string(23, first) + static_cast<char>('0' + number);
}

Session live_session(const User& user, int number) {
  Session out;
  out.id = hex_id('e', number);
  out.app_id = user.app_id;
  out.user_id = user.id;
  out.created = out.last_used = kMoment;
  out.refresh_expires = kMoment + std::chrono::hours(1'000);
  return out;
}

TEST(EverySession, EndsAtOnceWhateverAppItIsOf) {
  TestFolder folder;
  const auto stores = open_in(folder, 100);
  std::vector<User> users;
  for (int i = 1; i <= 3; ++i) {
    User user;
    user.id = hex_id('b', i);
    user.app_id = hex_id('a', i % 2);
    user.identities.push_back({hex_id('c', i), "anon-user", hex_id('d', 1), {}});
    user.created = kMoment;
    ASSERT_EQ(stores->users().create(user).value(), CreateUserOutcome::created);
    ASSERT_EQ(stores->sessions().open(live_session(user, i), 0).value(), OpenOutcome::opened);
    ASSERT_FALSE(stores->sessions().find(hex_id('e', i)).value()->ended) << "and cached";
    users.push_back(user);
  }
  ASSERT_EQ(
      stores->sessions().end(users[0].app_id, {}, hex_id('e', 1), EndReason::logged_out, kMoment).value(),
      EndOutcome::ended);

  EXPECT_EQ(stores->end_every_session(EndReason::revoked, kMoment + std::chrono::seconds(1)).value(), 2);
  EXPECT_EQ(stores->sessions().find(hex_id('e', 1)).value()->reason, EndReason::logged_out);
  for (const int i : {2, 3}) {
    const auto state = stores->sessions().find(hex_id('e', i)).value();
    EXPECT_TRUE(state->ended);
    EXPECT_EQ(state->reason, EndReason::revoked);
  }
  EXPECT_EQ(stores->sessions().open(live_session(users[1], 7), 0).value(), OpenOutcome::user_changed)
      << "a log-in that began before";
  EXPECT_EQ(stores->sessions().open(live_session(users[1], 8), 1).value(), OpenOutcome::opened);
  EXPECT_EQ(stores->end_every_session(EndReason::revoked, kMoment).value(), 1);
}

}  // namespace
}  // namespace keyturn::server::sqlite

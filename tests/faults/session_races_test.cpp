// SPDX-License-Identifier: Apache-2.0
// Row B-05 on real threads, a real socket and a real disk: a log-out at a random point of a refresh.
#include <gtest/gtest.h>

#include <random>

#include "tests/faults/network_rig.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::microseconds;

void let_pass(microseconds time) {
  const BootTime end = system_clock().boot_now() + time;
  while (system_clock().boot_now() < end) {
  }
}

TEST(SessionRaces, ALogOutWinsAtEveryPointOfARefresh) {
  const int rounds = full_size() ? 20'000 : 300;
  std::mt19937 random(seed());
  const Scratch scratch;
  testing::ScriptedServer server;
  server.add_user("ada@example.com", "correct horse");
  Device device(server.base_url(), *open_store(scratch / "store"));
  const auto other = *open_store(scratch / "store");
  int in_flight = 0;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed()) + ", round " + std::to_string(round));
    const auto user = device.log_in();
    ASSERT_TRUE(user) << user.error().message;
    auto refresh = device.manager->refresh(*user);
    let_pass(microseconds(std::uniform_int_distribution<int>(0, 1'500)(random)));
    in_flight += refresh.is_ready() ? 0 : 1;
    ASSERT_TRUE(device.manager->log_out(*user).result());
    const auto is_out = [&] {
      const auto stored = other->load_user((*user)->id);
      return (*user)->state == UserState::logged_out && device.manager->current() == nullptr && stored &&
             *stored && !(*stored)->logged_in && (*stored)->refresh_token.empty() &&
             (*stored)->access_token.empty() &&
             (*user)->cell.read([](std::string_view token, const auto&) { return token.empty(); });
    };
    ASSERT_TRUE(is_out());
    (void)refresh.result();
    ASSERT_TRUE(is_out()) << "the refresh brought the session back";
    const auto token = device.manager->valid_access_token(*user, std::chrono::seconds(0)).result();
    ASSERT_FALSE(token);
    ASSERT_EQ(token.error().remedy, Remedy::log_in_again);
  }
  RecordProperty("in_flight", in_flight);
  EXPECT_GT(in_flight, rounds / 20) << "the log-outs came too late to race";
  EXPECT_TRUE(comes_true([&] { return other->outbox()->empty(); })) << "the server was not told of all";
  EXPECT_EQ(server.count("DELETE", kSessionPath), rounds);
}

}  // namespace
}  // namespace keyturn::faults

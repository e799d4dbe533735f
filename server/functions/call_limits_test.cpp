// SPDX-License-Identifier: Apache-2.0
#include "server/functions/call_limits.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace keyturn::server::functions {
namespace {

TEST(CallLimits, RefusesTheCallBeyondTheAppsNumber) {
  CallLimits limits(2, 2, 2);
  const auto first = limits.enter("a", "u1");
  EXPECT_TRUE(first);
  {
    const auto second = limits.enter("a", "u2");
    EXPECT_TRUE(second);
    EXPECT_FALSE(limits.enter("a", "u3"));
    EXPECT_FALSE(limits.enter("a", ""));
    EXPECT_TRUE(limits.enter("b", "u1"));  // another app is not concerned
    EXPECT_EQ(limits.in_app("a"), 2U);
  }
  EXPECT_EQ(limits.in_app("a"), 1U);
  EXPECT_TRUE(limits.enter("a", "u3"));
}

TEST(CallLimits, RefusesTheCallBeyondTheUsersNumber) {
  CallLimits limits(10, 2, 2);
  const auto first = limits.enter("a", "u1");
  const auto second = limits.enter("a", "u1");
  EXPECT_FALSE(limits.enter("a", "u1"));
  EXPECT_TRUE(limits.enter("a", "u2"));
  EXPECT_TRUE(limits.enter("a", ""));
  EXPECT_TRUE(limits.enter("b", "u1"));  // the same id in another app is another user
  EXPECT_EQ(limits.in_app("a"), 2U);
}

TEST(CallLimits, RefusedCallsTakeNoPlace) {
  CallLimits limits(1, 1, 1);
  {
    const auto held = limits.enter("a", "u");
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(limits.enter("a", "u"));
  }
  EXPECT_EQ(limits.in_app("a"), 0U);
  EXPECT_TRUE(limits.enter("a", "u"));
}

TEST(CallLimits, LetsAUserRunNoMoreThanHisTurns) {
  CallLimits limits(10, 10, 1);
  const Clock& clock = system_clock();
  auto first = limits.enter("a", "u1");
  ASSERT_TRUE(first.wait_for_turn(clock.boot_now(), clock));
  EXPECT_TRUE(first.wait_for_turn(clock.boot_now(), clock));  // has it already
  auto second = limits.enter("a", "u1");
  EXPECT_FALSE(second.wait_for_turn(clock.boot_now(), clock));
  auto other = limits.enter("a", "u2");
  EXPECT_TRUE(other.wait_for_turn(clock.boot_now(), clock));
  auto nobody = limits.enter("a", "");
  EXPECT_TRUE(nobody.wait_for_turn(clock.boot_now(), clock));
}

TEST(CallLimits, GivesTheTurnToTheOneThatWaits) {
  CallLimits limits(100, 100, 2);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        auto place = limits.enter("a", "u");
        if (!place ||
            !place.wait_for_turn(system_clock().boot_now() + std::chrono::seconds(30), system_clock()))
          continue;
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        ++served;
        --running;
      }
    });
  }
  for (auto& each : callers) each.join();
  EXPECT_EQ(served, 1'600);
  EXPECT_LE(most, 2);
  EXPECT_EQ(limits.in_app("a"), 0U);
}

}  // namespace
}  // namespace keyturn::server::functions

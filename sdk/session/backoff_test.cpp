// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace keyturn::sdk {
namespace {

using namespace std::chrono_literals;
constexpr BootTime kNow{std::chrono::hours(1)};

TEST(Backoff, GrowsWithinFullJitterToItsCap) {
  BackoffPolicy policy;
  policy.budget = 1'000;
  Backoff most(policy);
  Backoff least(policy);
  std::chrono::microseconds grown = 1s;
  for (int i = 0; i < 100; ++i) {
    most.failed(kNow, {}, 65'535);
    least.failed(kNow, {}, 0);
    EXPECT_LE(most.not_before() - kNow, grown);
    EXPECT_GE(most.not_before() - kNow, grown * 99 / 100);
    EXPECT_EQ(least.not_before(), kNow);
    grown = std::min<std::chrono::microseconds>(grown * 2, 60s);
  }
}

TEST(Backoff, OpensExactlyAtItsTime) {
  Backoff backoff;
  EXPECT_TRUE(backoff.may_try(BootTime()));
  backoff.failed(kNow, 10s, 0);
  EXPECT_FALSE(backoff.may_try(kNow + 10s - 1us));
  EXPECT_TRUE(backoff.may_try(kNow + 10s));
  backoff.succeeded();
  EXPECT_TRUE(backoff.may_try(kNow));
}

// Row B-22: what a try waited in vain counts.
TEST(Backoff, CountsItsCapFromTheStartOfATry) {
  Backoff backoff;
  for (int i = 0; i < 8; ++i) backoff.failed(kNow, {}, 0x0000'ffffU, 15s);
  EXPECT_LE(backoff.not_before() - kNow, 45s);
  EXPECT_GE(backoff.not_before() - kNow, 44s);
  backoff.failed(kNow, {}, 0x0000'ffffU, 24h);
  EXPECT_LE(backoff.not_before() - kNow, 1s);
  EXPECT_GT(backoff.not_before() - kNow, 900ms) << "never all at once";
}

// Row B-04: within a tenth of what the server asked for.
TEST(Backoff, ObeysRetryAfter) {
  for (const std::uint32_t chance : {0U, 30'000U, 65'535U}) {
    for (const auto asked : {1s, 17s, 3600s}) {
      Backoff backoff;
      backoff.failed(kNow, asked, chance);
      EXPECT_GE(backoff.not_before() - kNow, asked);
      EXPECT_LE(backoff.not_before() - kNow, std::chrono::microseconds(asked) * 11 / 10);
    }
  }
}

TEST(Backoff, SpendsNoMoreThanItsBudgetInAWindow) {
  Backoff backoff;
  BootTime now = kNow;
  std::vector<BootTime> tries;
  while (now < kNow + 1h) {
    if (backoff.may_try(now)) {
      tries.push_back(now);
      backoff.failed(now, {}, 0);  // chance gives no wait at all
    } else {
      now = backoff.not_before();
    }
  }
  for (std::size_t i = 0; i + 30 < tries.size(); ++i) EXPECT_GE(tries[i + 30] - tries[i], 600s) << i;
  EXPECT_EQ(std::count(tries.begin(), tries.end(), kNow), 10) << "the first third comes at once";
  EXPECT_GE(tries.size(), 120U);
}

}  // namespace
}  // namespace keyturn::sdk

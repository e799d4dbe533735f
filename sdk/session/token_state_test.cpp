// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/token_state.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace keyturn::sdk {
namespace {

using namespace std::chrono_literals;
constexpr RefreshPolicy kPolicy;
constexpr BootTime kStart{std::chrono::hours(5)};
constexpr auto kTick = std::chrono::microseconds(1);

TEST(Decide, AsksForALogInWithoutARefreshToken) {
  EXPECT_EQ(decide(TokenState{}, kStart, 0s), TokenAction::log_in_again);
}

TEST(Decide, RefreshesFirstWithoutAnAccessTokenOrAfterARejection) {
  TokenState state = token_received(kStart, 1800s, kPolicy, 0);
  EXPECT_EQ(decide(state, kStart, 0s), TokenAction::use);
  state.rejected = true;
  EXPECT_EQ(decide(state, kStart, 0s), TokenAction::refresh_first);
  state.rejected = false;
  state.has_access_token = false;
  EXPECT_EQ(decide(state, kStart, 0s), TokenAction::refresh_first);
}

TEST(Decide, ChangesItsMindExactlyAtEachBoundary) {
  static_assert(decide(token_received(kStart, std::chrono::seconds(1800), kPolicy, 0), kStart,
                       std::chrono::seconds(0)) == TokenAction::use);
  const TokenState state = token_received(kStart, 1800s, kPolicy, 30'000);
  const BootTime ahead = kStart + state.ahead_after;
  const BootTime end = kStart + 1800s;
  EXPECT_EQ(decide(state, ahead - kTick, 0s), TokenAction::use);
  EXPECT_EQ(decide(state, ahead, 0s), TokenAction::use_and_refresh);
  EXPECT_EQ(decide(state, ahead + kTick, 0s), TokenAction::use_and_refresh);
  EXPECT_EQ(decide(state, end - kTick, 0s), TokenAction::use_and_refresh);
  EXPECT_EQ(decide(state, end, 0s), TokenAction::refresh_first);
  EXPECT_EQ(decide(state, end + kTick, 0s), TokenAction::refresh_first);
  EXPECT_EQ(decide(state, end - 10s, 10s), TokenAction::use_and_refresh);
  EXPECT_EQ(decide(state, end - 10s + kTick, 10s), TokenAction::refresh_first);
  EXPECT_EQ(decide(state, kStart - kTick, 0s), TokenAction::refresh_first)
      << "a time line that runs backwards tells nothing";
}

TEST(Decide, CountsALongMinimumAsHalfOfTheLife) {
  const TokenState state = token_received(kStart, 1800s, kPolicy, 0);
  for (const auto asked : {901s, 1800s, std::chrono::seconds::max()}) {
    EXPECT_EQ(decide(state, kStart + 900s, asked), TokenAction::use);
    EXPECT_EQ(decide(state, kStart + 900s + kTick, asked), TokenAction::refresh_first);
  }
  EXPECT_EQ(decide(state, kStart + 1799s, std::chrono::seconds::min()), TokenAction::use_and_refresh);
}

TEST(UsableLifetime, IsFiveMinutesForOddClaims) {
  for (const auto odd :
       {0s, -1s, std::chrono::seconds::min(), std::chrono::seconds::max(), kPolicy.longest_lifetime + 1s})
    EXPECT_EQ(usable_lifetime(odd, kPolicy), 300s);
  EXPECT_EQ(usable_lifetime(std::nullopt, kPolicy), 300s);
  EXPECT_EQ(usable_lifetime(1s, kPolicy), 1s);
  EXPECT_EQ(usable_lifetime(kPolicy.longest_lifetime, kPolicy), kPolicy.longest_lifetime);
}

// Row B-08: 70 to 90 % of the life, and 60 s before the end where the life allows.
TEST(AheadPoint, LiesBetweenSeventyAndNinetyPercentAndAMinuteBeforeTheEnd) {
  for (const auto life : {1s, 2s, 60s, 215s, 220s, 300s, 600s, 1800s, 86'400s}) {
    for (const std::uint32_t chance : {0U, 1U, 32'768U, 65'535U, std::numeric_limits<std::uint32_t>::max()}) {
      const auto point = ahead_point(life, kPolicy, chance);
      EXPECT_GE(point, std::chrono::microseconds(life) * 7 / 10);
      EXPECT_LE(point, std::chrono::microseconds(life) * 9 / 10);
      if (life >= 220s) {
        EXPECT_LE(point, life - 60s) << life.count();
      }
    }
  }
}

TEST(AheadPoint, SpreadsEvenly) {
  std::array<int, 10> bins{};
  const auto first = ahead_point(1800s, kPolicy, 0);
  const auto last = ahead_point(1800s, kPolicy, 65'535);
  for (std::uint32_t i = 0; i < 65'536; ++i)
    ++bins.at(
        static_cast<std::size_t>((ahead_point(1800s, kPolicy, i) - first) * 10 / (last - first + kTick)));
  for (const int bin : bins) EXPECT_NEAR(bin, 6553, 70);
}

class StoredReceiptTest : public ::testing::Test {
 protected:
  const WallTime received{std::chrono::seconds(1'700'000'000)};
  const BootTime now{std::chrono::hours(2)};
  StoredReceipt stored{"boot-1", BootTime(1h), received};

  /// The moment, and whether it is a fact.
  [[nodiscard]] std::optional<std::pair<BootTime, bool>> at(std::string_view boot, WallTime wall) const {
    const auto receipt = received_on_this_boot(stored, boot, now, wall);
    if (!receipt) return std::nullopt;
    return std::pair(receipt->at, receipt->confirmed);
  }
};

TEST_F(StoredReceiptTest, IsAFactInTheSameBootWhateverTheWallClockSays) {
  EXPECT_EQ(at("boot-1", WallTime()), std::pair(BootTime(1h), true));
  stored.boot = now;
  EXPECT_EQ(at("boot-1", received), std::pair(now, true));
  stored.boot = now + kTick;
  EXPECT_EQ(at("boot-1", received), std::nullopt);
}

TEST_F(StoredReceiptTest, IsAnEstimateByTheWallClockAfterAReboot) {
  EXPECT_EQ(at("boot-2", received + 20min), std::pair(now - 20min, false));
  EXPECT_EQ(at("boot-2", received), std::pair(now, false));
  EXPECT_EQ(at("boot-2", received - kTick), std::nullopt) << "a wall clock set back tells nothing";
  EXPECT_EQ(at("", received + 20min), std::pair(now - 20min, false));
  stored.boot_id = "";
  EXPECT_EQ(at("", received + 20min), std::pair(now - 20min, false)) << "an unknown boot is another boot";
}

TEST_F(StoredReceiptTest, SurvivesAbsurdTimes) {
  for (const std::int64_t odd : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                                 std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(at("boot-2", WallTime(WallTime::duration(odd))), std::nullopt);
    const WallTime good = std::exchange(stored.wall, WallTime(WallTime::duration(odd)));
    EXPECT_EQ(at("boot-2", received), std::nullopt);
    stored.wall = good;
  }
  stored.boot = BootTime(BootTime::duration(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(at("boot-1", received), std::nullopt);
}

// After a reboot the wall clock alone decides nothing while the server can be asked.
TEST(MayDoUnconfirmed, IsForATokenThatByTheEstimateLives) {
  const TokenState state = token_received(Receipt(kStart, false), 1800s, kPolicy, 0);
  const BootTime end = kStart + 1800s;
  for (const BootTime now : {kStart, kStart + state.ahead_after, end - kTick}) {
    EXPECT_EQ(decide(state, now, 0s), TokenAction::refresh_first);
    EXPECT_TRUE(may_do_unconfirmed(state, now, 0s));
  }
  EXPECT_FALSE(may_do_unconfirmed(state, end, 0s));
  EXPECT_TRUE(may_do_unconfirmed(state, end - 10s, 10s));
  EXPECT_FALSE(may_do_unconfirmed(state, end - 10s + kTick, 10s));
  EXPECT_FALSE(may_do_unconfirmed(token_received(kStart, 1800s, kPolicy, 0), kStart, 0s))
      << "a confirmed one is decide()'s";
  TokenState refused = state;
  refused.rejected = true;
  EXPECT_FALSE(may_do_unconfirmed(refused, kStart, 0s));
  EXPECT_FALSE(may_do_unconfirmed(TokenState{}, kStart, 0s));
}

}  // namespace
}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/stepping_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/testing/fake_clock.hpp"

namespace keyturn::server {
namespace {

using namespace std::chrono_literals;

class SteppingClockTest : public ::testing::Test {
 protected:
  void pass(std::chrono::microseconds time) {
    for (; time > 0s; time -= std::min<std::chrono::microseconds>(time, 5s)) {
      machine.advance(std::min<std::chrono::microseconds>(time, 5s));
      clock.watch();
    }
  }
  testing::FakeClock machine;
  std::vector<SteppingClock::Step> steps;
  SteppingClock clock{machine, [this](const SteppingClock::Step& step) { steps.push_back(step); }};
};

TEST_F(SteppingClockTest, FollowsSmallStepsAndSlowDriftAtOnce) {
  for (const auto step : {60s, -60s, 59s, -1s}) {
    machine.step_wall(step);
    EXPECT_EQ(clock.wall_now(), machine.wall_now());
    clock.watch();
    pass(10s);
  }
  for (int i = 0; i < 100; ++i) {
    machine.step_wall(7s);
    pass(5s);
    EXPECT_EQ(clock.wall_now(), machine.wall_now());
  }
  EXPECT_TRUE(steps.empty());
}

TEST_F(SteppingClockTest, DoesNotSeeAStepThatIsUndoneWithinFiveMinutes) {
  for (const std::chrono::microseconds step : {61s, 3'600s, 86'400s * 3'650, -61s, -86'400s * 3'650}) {
    const WallTime before = clock.wall_now();
    machine.step_wall(step);
    EXPECT_EQ(clock.wall_now(), before) << "also before the first look";
    pass(5min);
    EXPECT_EQ(clock.wall_now(), before + 5min);
    machine.step_wall(-step);
    pass(5s);
    EXPECT_EQ(clock.wall_now(), machine.wall_now());
    EXPECT_EQ(clock.wall_now(), before + 5min + 5s);
  }
  EXPECT_EQ(steps.size(), 5U) << "each is told";
  for (const auto& step : steps) EXPECT_FALSE(step.believed);
}

TEST_F(SteppingClockTest, BelievesAStepThatLasts) {
  machine.step_wall(2h);
  clock.watch();
  pass(SteppingClock::kDoubt - 5s);
  EXPECT_EQ(clock.wall_now(), machine.wall_now() - 2h);
  pass(5s);
  EXPECT_EQ(clock.wall_now(), machine.wall_now());
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].by, 2h);
  EXPECT_FALSE(steps[0].believed);
  EXPECT_TRUE(steps[1].believed);
}

TEST_F(SteppingClockTest, DoubtsAnewWhenTheClockIsSteppedAgain) {
  machine.step_wall(2h);
  clock.watch();
  pass(SteppingClock::kDoubt - 5s);
  machine.step_wall(24h);
  pass(5s);
  EXPECT_EQ(clock.wall_now(), machine.wall_now() - 26h);
  pass(SteppingClock::kDoubt);
  EXPECT_EQ(clock.wall_now(), machine.wall_now());
}

}  // namespace
}  // namespace keyturn::server

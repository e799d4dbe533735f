// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/guess_limiter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/testing/fake_clock.hpp"

namespace keyturn::server {
namespace {

using std::chrono::seconds;
using Outcome = GuessLimiter::Outcome;

class GuessLimiterTest : public ::testing::Test {
 protected:
  seconds guess(GuessLimiter& of, const GuessSource& source, Outcome outcome = Outcome::wrong) {
    auto attempt = of.begin(source);
    if (attempt.wait().count() == 0) attempt.finish(outcome);
    return attempt.wait();
  }
  void fail(GuessLimiter& of, const GuessSource& source, int times) {
    for (int i = 0; i < times; ++i) {
      seconds wait = guess(of, source);
      while (wait.count() > 0) {
        clock.advance(wait);
        wait = guess(of, source);
      }
    }
  }

  testing::FakeClock clock;
  GuessLimiter limiter{clock};
  const GuessSource ann{"app", "ann@example.com", {}, {}};
};

TEST_F(GuessLimiterTest, AsksNobodyToWaitBeforeTheTenthFailure) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(guess(limiter, ann), seconds(0)) << i;
  EXPECT_EQ(guess(limiter, ann), seconds(1));
  clock.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(guess(limiter, ann), seconds(1));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(guess(limiter, ann), seconds(0));
}

TEST_F(GuessLimiterTest, DoublesTheWaitUpToItsLimit) {
  fail(limiter, ann, 10);
  for (const int wait : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
    EXPECT_EQ(guess(limiter, ann), seconds(wait));
    clock.advance(seconds(wait));
    EXPECT_EQ(guess(limiter, ann), seconds(0));
  }
}

TEST_F(GuessLimiterTest, TakesAHundredFailuresInARowThenOneADay) {
  fail(limiter, ann, 99);
  EXPECT_LE(guess(limiter, ann), seconds(900));
  fail(limiter, ann, 1);
  EXPECT_EQ(guess(limiter, ann), seconds(86'400));
  clock.advance(seconds(86'399));
  EXPECT_EQ(guess(limiter, ann), seconds(1));
  clock.advance(seconds(1));
  EXPECT_EQ(guess(limiter, ann), seconds(0));
  EXPECT_EQ(guess(limiter, ann), seconds(86'400));
}

TEST_F(GuessLimiterTest, StartsAnewAfterTheRightPassword) {
  fail(limiter, ann, 9);
  EXPECT_EQ(guess(limiter, ann, Outcome::right), seconds(0));
  EXPECT_EQ(limiter.size(), 0U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(guess(limiter, ann), seconds(0)) << i;
  EXPECT_EQ(guess(limiter, ann), seconds(1));
}

TEST_F(GuessLimiterTest, CountsNoFaultOfOurOwn) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(guess(limiter, ann, Outcome::undecided), seconds(0));
  EXPECT_EQ(limiter.size(), 0U);
}

TEST_F(GuessLimiterTest, CountsAnAttemptThatIsDroppedAsUndecided) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(limiter.begin(ann).wait(), seconds(0));
  EXPECT_EQ(limiter.size(), 0U);
}

TEST_F(GuessLimiterTest, LetsOnlyOneTryAtATimeThroughOnceThereAreWaits) {
  fail(limiter, ann, 10);
  clock.advance(seconds(1));
  auto first = limiter.begin(ann);
  EXPECT_EQ(first.wait(), seconds(0));
  EXPECT_GT(limiter.begin(ann).wait(), seconds(0));
  first.finish(Outcome::undecided);
  EXPECT_EQ(limiter.begin(ann).wait(), seconds(0));
}

TEST_F(GuessLimiterTest, BoundsTheTriesThatAreMadeAtOnce) {
  std::vector<GuessLimiter::Try> tries;
  int admitted = 0;
  for (int i = 0; i < 200; ++i) {
    tries.push_back(limiter.begin(ann));
    if (tries.back().wait().count() == 0) ++admitted;
  }
  EXPECT_EQ(admitted, 100);
}

TEST_F(GuessLimiterTest, KeepsAccountsAndAppsApart) {
  fail(limiter, ann, 10);
  EXPECT_EQ(guess(limiter, {"app", "bob@example.com", {}, {}}), seconds(0));
  EXPECT_EQ(guess(limiter, {"other", "ann@example.com", {}, {}}), seconds(0));
  EXPECT_EQ(guess(limiter, {"app", "Ann@example.com", {}, {}}, Outcome::right), seconds(0));
  EXPECT_GT(guess(limiter, ann), seconds(0))
      << "names are case-sensitive: another account's success counts not";
}

TEST_F(GuessLimiterTest, LetsAKnownDeviceInWhileTheAccountIsAttacked) {
  const GuessSource phone{"app", "ann@example.com", "64f000000000000000000001", "203.0.113.7"};
  limiter.remember_device(phone);
  for (int i = 0; i < 100; ++i) {
    fail(limiter, {"app", "ann@example.com", {}, "203.0.113.7"}, 1);
  }
  EXPECT_EQ(guess(limiter, phone, Outcome::right), seconds(0));
  EXPECT_GT(guess(limiter, ann), seconds(0)) << "a log-in there gives the attacker nothing back";
}

TEST_F(GuessLimiterTest, GivesAKnownDeviceABudgetAndNoFreePass) {
  const GuessSource phone{"app", "ann@example.com", "64f000000000000000000001", {}};
  limiter.remember_device(phone);
  fail(limiter, phone, 10);
  EXPECT_EQ(guess(limiter, phone), seconds(1));
}

TEST_F(GuessLimiterTest, TakesADeviceOfAnotherAccountForUnknown) {
  limiter.remember_device({"app", "bob@example.com", "64f000000000000000000001", {}});
  fail(limiter, ann, 10);
  EXPECT_EQ(guess(limiter, {"app", "ann@example.com", "64f000000000000000000001", {}}), seconds(1));
}

TEST_F(GuessLimiterTest, LimitsAnAddressOverAllAccounts) {
  int admitted = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "user" + std::to_string(i);
    if (guess(limiter, {"app", name, {}, "203.0.113.7"}).count() == 0) ++admitted;
  }
  EXPECT_EQ(admitted, 200);
  EXPECT_EQ(guess(limiter, {"app", "somebody", {}, "203.0.113.7"}), seconds(6));
  EXPECT_EQ(guess(limiter, {"app", "somebody", {}, "203.0.113.8"}), seconds(0));
  EXPECT_EQ(guess(limiter, {"app", "somebody", {}, {}}), seconds(0)) << "no address, no such limit";
  clock.advance(seconds(6));
  EXPECT_EQ(guess(limiter, {"app", "somebody", {}, "203.0.113.7"}), seconds(0));
  EXPECT_GT(guess(limiter, {"app", "somebody", {}, "203.0.113.7"}).count(), 0);
}

TEST_F(GuessLimiterTest, ForgetsWhatIsLeastHarmfulWhenItIsFull) {
  GuessLimits limits;
  limits.most_entries = 100;
  GuessLimiter small(clock, limits);
  fail(small, ann, 10);
  for (int i = 0; i < 1'000; ++i) {
    const std::string name = "user" + std::to_string(i);
    guess(small, {"app", name, {}, name});
    small.remember_device({"app", name, name, {}});
    ASSERT_LE(small.size(), 200U);
  }
  fail(small, ann, 1);
  EXPECT_EQ(guess(small, ann), seconds(2)) << "many names did not wash out the one that waits";
}

TEST_F(GuessLimiterTest, ForgivesAnAccountWhosePasswordWasReplaced) {
  fail(limiter, ann, 100);
  EXPECT_GT(guess(limiter, ann), seconds(900));
  limiter.forgive("app", "ann@example.com");
  EXPECT_EQ(guess(limiter, ann, Outcome::right), seconds(0));
}

}  // namespace
}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/store_queue.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sdk/session/testing/manual_loop.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;

class StoreQueueTest : public ::testing::Test {
 protected:
  StoreQueue::Attempt named(char name) {
    return [this, name](bool last) {
      (last ? given_up : tried) += name;
      return !locked;
    };
  }
  keyturn::testing::FakeClock clock;
  ManualLoop loop{clock};
  StoreQueue queue{clock, loop, 2s};
  bool locked = false;
  std::string tried;
  std::string given_up;
};

TEST_F(StoreQueueTest, AFreeStoreIsUsedAtOnce) {
  queue.run(named('a'));
  EXPECT_EQ(tried, "a");
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(StoreQueueTest, OnlyTheFirstTriesAndTheOthersFollowInOrder) {
  locked = true;
  queue.run(named('a'));
  queue.run(named('b'));
  queue.run(named('c'));
  EXPECT_EQ(tried, "a");
  loop.advance(50ms);
  EXPECT_EQ(tried, "aa");
  locked = false;
  loop.advance(50ms);
  EXPECT_EQ(tried, "aaabc");
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(StoreQueueTest, EachGivesUpWhenItsPatienceIsOver) {
  locked = true;
  queue.run(named('a'));
  loop.advance(1s);
  queue.run(named('b'));
  loop.advance(999ms);
  EXPECT_EQ(given_up, "");
  loop.advance(1ms);
  EXPECT_EQ(given_up, "a");
  loop.advance(999ms);
  EXPECT_EQ(given_up, "a");
  loop.advance(1ms);
  EXPECT_EQ(given_up, "ab");
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(StoreQueueTest, WhatOneAsksForInTurnComesAfterThoseWhoWait) {
  locked = true;
  queue.run([this](bool) {
    tried += 'a';
    if (!locked) queue.run(named('c'));
    return !locked;
  });
  queue.run(named('b'));
  locked = false;
  loop.advance(50ms);
  EXPECT_EQ(tried, "aabc");
}

TEST_F(StoreQueueTest, ClosingTriesEachOnceMore) {
  locked = true;
  queue.run(named('a'));
  queue.run(named('b'));
  queue.close();
  EXPECT_EQ(given_up, "ab");
  queue.run(named('c'));
  EXPECT_EQ(given_up, "abc");
}

}  // namespace
}  // namespace keyturn::sdk::testing

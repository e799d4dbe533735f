// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <keyturn/base/pending.hpp>

namespace keyturn {
namespace {

Error sample_error() { return {ErrorCode::NetworkError, "down"}; }

// A coroutine that starts at once and cleans up after itself.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Task await_into(Pending<int> pending, Promise<int> done) {
  Result<int> outcome = co_await pending;
  done.set(std::move(outcome));
}

TEST(Pending, GivesAValueThatIsHereAlready) {
  Pending<int> pending(7);
  EXPECT_TRUE(pending.is_ready());
  EXPECT_EQ(pending.get(), 7);
}

TEST(Pending, ThrowsTheErrorFromGetOnly) {
  EXPECT_THROW(Pending<int>(sample_error()).get(), Error);
  const Result<int> outcome = Pending<int>(sample_error()).result();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::NetworkError);
}

TEST(Pending, WorksWithoutAValue) {
  Promise<void> promise;
  Pending<void> pending = promise.pending();
  EXPECT_FALSE(pending.is_ready());
  promise.set({});
  EXPECT_TRUE(pending.is_ready());
  EXPECT_NO_THROW(pending.get());
  EXPECT_THROW(Pending<void>(sample_error()).get(), Error);
}

TEST(Pending, CarriesValuesThatOnlyMove) {
  Promise<std::unique_ptr<int>> promise;
  auto pending = promise.pending();
  promise.set(std::make_unique<int>(3));
  EXPECT_EQ(*pending.get(), 3);
}

TEST(Pending, TakesTheFirstAnswerAndDropsLaterOnes) {
  Promise<int> promise;
  auto pending = promise.pending();
  const Promise<int> copy = promise;
  copy.set(1);
  promise.set(2);
  promise.set(sample_error());
  EXPECT_EQ(pending.get(), 1);
}

TEST(Pending, DropsALaterAnswerAlsoAfterTheFirstWasConsumed) {
  Promise<int> promise;
  int calls = 0;
  promise.pending().then([&](Result<int>) { ++calls; });
  promise.set(1);
  promise.set(2);
  EXPECT_EQ(calls, 1);
}

TEST(Pending, CallsThenAtOnceWhenTheAnswerIsHere) {
  int seen = 0;
  Pending<int>(4).then([&](Result<int> outcome) { seen = *outcome; });
  EXPECT_EQ(seen, 4);
}

TEST(Pending, HoldsNoLockWhileItCallsThen) {
  Promise<int> promise;
  auto pending = promise.pending();
  bool ready_inside = true;
  promise.pending().then([&](Result<int>) {
    ready_inside = pending.is_ready();  // would deadlock under the lock
    promise.set(9);
  });
  promise.set(1);
  EXPECT_FALSE(ready_inside);
}

TEST(Pending, OutlivesItsPromiseAndTheOtherWayRound) {
  auto promise = std::make_unique<Promise<int>>();
  auto pending = promise->pending();
  promise->set(5);
  promise.reset();
  EXPECT_EQ(pending.get(), 5);

  Promise<int> abandoned;
  { auto dropped = abandoned.pending(); }
  abandoned.set(6);
}

TEST(Pending, WakesAWaiterInAnotherThread) {
  for (int round = 0; round < 200; ++round) {
    Promise<int> promise;
    std::thread giver([promise, round] { promise.set(round); });
    EXPECT_EQ(promise.pending().get(), round);
    giver.join();
  }
}

TEST(Pending, RunsThenOnceWhicheverThreadIsFirst) {
  for (int round = 0; round < 200; ++round) {
    Promise<int> promise;
    std::atomic<int> calls{0};
    std::thread giver([promise, round] { promise.set(round); });
    promise.pending().then([&](Result<int> outcome) {
      EXPECT_EQ(*outcome, round);
      ++calls;
    });
    giver.join();
    EXPECT_EQ(calls, 1);
  }
}

TEST(Pending, TakesOneOfManyRacingAnswers) {
  for (int round = 0; round < 50; ++round) {
    Promise<int> promise;
    auto pending = promise.pending();
    std::vector<std::thread> givers;
    for (int i = 1; i <= 4; ++i) givers.emplace_back([promise, i] { promise.set(i); });
    const int first = pending.get();
    EXPECT_GE(first, 1);
    EXPECT_LE(first, 4);
    for (std::thread& giver : givers) giver.join();
    EXPECT_FALSE(pending.is_ready());
  }
}

TEST(PendingCoroutine, ResumesWithTheValueOrTheError) {
  for (const bool good : {true, false}) {
    Promise<int> source;
    Promise<int> done;
    await_into(source.pending(), done);
    auto outcome = done.pending();
    EXPECT_FALSE(outcome.is_ready());
    if (good) {
      source.set(8);
      EXPECT_EQ(outcome.get(), 8);
    } else {
      source.set(sample_error());
      EXPECT_THROW(outcome.get(), Error);
    }
  }
}

TEST(PendingCoroutine, ResumesFromAnotherThread) {
  for (int round = 0; round < 200; ++round) {
    Promise<int> source;
    Promise<int> done;
    std::thread giver([source, round] { source.set(round); });
    await_into(source.pending(), done);
    EXPECT_EQ(done.pending().get(), round);
    giver.join();
  }
}

Task sum_ready_answers(int count, Promise<int> done) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    Pending<int> one(1);
    Result<int> outcome = co_await one;
    sum += *outcome;
  }
  done.set(sum);
}

TEST(PendingCoroutine, DoesNotDeepenTheStackOverAnswersThatAreHere) {
  Promise<int> done;
  sum_ready_answers(300'000, done);
  EXPECT_EQ(done.pending().get(), 300'000);
}

}  // namespace
}  // namespace keyturn

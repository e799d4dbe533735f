// SPDX-License-Identifier: Apache-2.0
#include "server/http/lane_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "core/testing/fake_clock.hpp"

namespace keyturn::server::http {
namespace {

using std::chrono::milliseconds;

/// Keeps one thread of a pool busy until told.
struct Plug {
  std::promise<void> running;
  std::promise<void> release;
  void occupy(LanePool& pool) {
    LanePool::Job job{[this] {
                        running.set_value();
                        release.get_future().wait();
                      },
                      [] {}};
    ASSERT_TRUE(pool.submit(job));
    running.get_future().wait();
  }
};

TEST(LanePool, RunsJobs) {
  testing::FakeClock clock;
  LanePool pool({2, 4, milliseconds(5'000)}, clock);
  std::promise<int> done;
  LanePool::Job job{[&] { done.set_value(1); }, [&] { done.set_value(2); }};
  ASSERT_TRUE(pool.submit(job));
  EXPECT_EQ(done.get_future().get(), 1);
}

TEST(LanePool, RefusesBeyondItsBoundAndLeavesTheJob) {
  testing::FakeClock clock;
  LanePool pool({1, 2, milliseconds(5'000)}, clock);
  Plug plug;
  plug.occupy(pool);
  std::atomic<int> ran{0};
  for (int i = 0; i < 3; ++i) {
    LanePool::Job job{[&] { ++ran; }, [] {}};
    EXPECT_EQ(pool.submit(job), i < 2);
    EXPECT_EQ(static_cast<bool>(job.run), i == 2);
  }
  plug.release.set_value();
  std::promise<void> last;
  while (true) {
    LanePool::Job job{[&] { last.set_value(); }, [] {}};
    if (pool.submit(job)) break;
    std::this_thread::yield();
  }
  last.get_future().wait();
  EXPECT_EQ(ran, 2);
}

TEST(LanePool, GivesUpWhatWaitedTooLong) {
  testing::FakeClock clock;
  LanePool pool({1, 2, milliseconds(5'000)}, clock);
  Plug plug;
  plug.occupy(pool);
  std::atomic<int> given_up{0};
  std::atomic<int> ran{0};
  LanePool::Job early{[&] { ++ran; }, [&] { ++given_up; }};
  ASSERT_TRUE(pool.submit(early));
  clock.advance(milliseconds(4'999));
  pool.expire();
  EXPECT_EQ(given_up, 0);
  clock.advance(milliseconds(1));
  pool.expire();
  EXPECT_EQ(given_up, 1);
  LanePool::Job late{[&] { ++ran; }, [&] { ++given_up; }};
  ASSERT_TRUE(pool.submit(late));
  clock.advance(milliseconds(5'000));
  plug.release.set_value();
  pool.stop();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(given_up, 2);
}

TEST(LanePool, GivesUpWhatWaitsWhenItStops) {
  testing::FakeClock clock;
  LanePool pool({1, 2, milliseconds(5'000)}, clock);
  Plug plug;
  plug.occupy(pool);
  std::promise<void> given_up;
  LanePool::Job job{[] {},
                    [&] {
                      given_up.set_value();
                      plug.release.set_value();
                    }};
  ASSERT_TRUE(pool.submit(job));
  pool.stop();
  given_up.get_future().wait();
  LanePool::Job after{[] {}, [] {}};
  EXPECT_FALSE(pool.submit(after));
}

}  // namespace
}  // namespace keyturn::server::http

// SPDX-License-Identifier: Apache-2.0
#include "server/http/lane_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "core/testing/fake_clock.hpp"

namespace keyturn::server::http {
namespace {

using std::chrono::milliseconds;
using Admission = LanePool::Admission;

/// Keeps one thread of a pool busy until told.
struct Plug {
  std::promise<void> running;
  std::promise<void> release;
  protocol::Share share{};
  void occupy(LanePool& pool) {
    LanePool::Job job{[this] {
                        running.set_value();
                        release.get_future().wait();
                      },
                      [](Admission) {}};
    job.share = share;
    ASSERT_EQ(pool.submit(job), Admission::taken);
    running.get_future().wait();
  }
};

TEST(LanePool, RunsJobs) {
  testing::FakeClock clock;
  LanePool pool("lane", {2, 4, milliseconds(5'000)}, clock);
  std::promise<int> done;
  LanePool::Job job{[&] { done.set_value(1); }, [&](Admission) { done.set_value(2); }};
  ASSERT_EQ(pool.submit(job), Admission::taken);
  EXPECT_EQ(done.get_future().get(), 1);
}

TEST(LanePool, RefusesBeyondItsBoundAndLeavesTheJob) {
  testing::FakeClock clock;
  LanePool pool("lane", {1, 2, milliseconds(5'000)}, clock);
  Plug plug;
  plug.occupy(pool);
  std::atomic<int> ran{0};
  for (int i = 0; i < 3; ++i) {
    LanePool::Job job{[&] { ++ran; }, [](Admission) {}};
    EXPECT_EQ(pool.submit(job), i < 2 ? Admission::taken : Admission::lane_full);
    EXPECT_EQ(static_cast<bool>(job.run), i == 2);
  }
  plug.release.set_value();
  std::promise<void> last;
  while (true) {
    LanePool::Job job{[&] { last.set_value(); }, [](Admission) {}};
    if (pool.submit(job) == Admission::taken) break;
    std::this_thread::yield();
  }
  last.get_future().wait();
  EXPECT_EQ(ran, 2);
}

TEST(LanePool, GivesUpWhatWaitedTooLong) {
  testing::FakeClock clock;
  LanePool pool("lane", {1, 2, milliseconds(5'000)}, clock);
  Plug plug;
  plug.occupy(pool);
  std::atomic<int> given_up{0};
  std::atomic<int> ran{0};
  LanePool::Job early{[&] { ++ran; }, [&](Admission) { ++given_up; }};
  ASSERT_EQ(pool.submit(early), Admission::taken);
  clock.advance(milliseconds(4'999));
  pool.expire();
  EXPECT_EQ(given_up, 0);
  clock.advance(milliseconds(1));
  pool.expire();
  EXPECT_EQ(given_up, 1);
  LanePool::Job late{[&] { ++ran; }, [&](Admission) { ++given_up; }};
  ASSERT_EQ(pool.submit(late), Admission::taken);
  clock.advance(milliseconds(5'000));
  plug.release.set_value();
  pool.stop();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(given_up, 2);
}

TEST(LanePool, GivesUpWhatWaitsWhenItStops) {
  testing::FakeClock clock;
  LanePool pool("lane", {1, 2, milliseconds(5'000)}, clock);
  Plug plug;
  plug.occupy(pool);
  std::promise<void> given_up;
  LanePool::Job job{[] {},
                    [&](Admission) {
                      given_up.set_value();
                      plug.release.set_value();
                    }};
  ASSERT_EQ(pool.submit(job), Admission::taken);
  pool.stop();
  given_up.get_future().wait();
  LanePool::Job after{[] {}, [](Admission) {}};
  EXPECT_EQ(pool.submit(after), Admission::lane_full);
}

LaneOptions shared_lane() {
  LaneOptions options{3, 16, milliseconds(5'000)};
  options.per_app = {2, 6};
  options.per_caller = {1, 3};
  return options;
}

/// Runs on whose account it says, and tells when it has run.
struct Quick {
  std::promise<bool> ran;
  LanePool::Job job(protocol::Share share) {
    return {[this] { ran.set_value(true); }, [this](Admission) { ran.set_value(false); }, share};
  }
};

TEST(LanePool, LetsOthersPassWhoHasItsShareOfTheThreads) {
  testing::FakeClock clock;
  LanePool pool("lane", shared_lane(), clock);
  Plug first;
  first.share = {1, 11};
  first.occupy(pool);
  Quick same_caller;
  auto held = same_caller.job({1, 11});
  ASSERT_EQ(pool.submit(held), Admission::taken);
  Plug second;
  second.share = {1, 12};
  second.occupy(pool);  // passes the one that waits
  Quick same_app;
  auto also_held = same_app.job({1, 13});
  ASSERT_EQ(pool.submit(also_held), Admission::taken);
  Quick other_app;
  auto free = other_app.job({2, 21});
  ASSERT_EQ(pool.submit(free), Admission::taken);
  EXPECT_TRUE(other_app.ran.get_future().get());
  auto waits = same_caller.ran.get_future();
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  second.release.set_value();
  EXPECT_TRUE(same_app.ran.get_future().get());
  EXPECT_EQ(waits.wait_for(milliseconds(0)), std::future_status::timeout);
  first.release.set_value();
  EXPECT_TRUE(waits.get());
}

TEST(LanePool, RefusesWhatIsBeyondAShareOfThePlaces) {
  testing::FakeClock clock;
  LanePool pool("lane", shared_lane(), clock);
  Plug plug;
  plug.share = {1, 11};
  plug.occupy(pool);
  std::vector<Admission> given_up;
  std::mutex mutex;
  const auto job = [&](protocol::Share share) {
    return LanePool::Job{[] {},
                         [&](Admission why) {
                           const std::scoped_lock lock(mutex);
                           given_up.push_back(why);
                         },
                         share};
  };
  for (int i = 0; i < 2; ++i) {
    auto taken = job({1, 11});
    EXPECT_EQ(pool.submit(taken), Admission::taken);
  }
  auto fourth = job({1, 11});
  EXPECT_EQ(pool.submit(fourth), Admission::share_full);
  EXPECT_TRUE(fourth.run) << "left as it was";
  auto unknown = job({});
  EXPECT_EQ(pool.submit(unknown), Admission::taken) << "on nobody's account";
  clock.advance(milliseconds(5'000));
  pool.expire();
  EXPECT_EQ(std::count(given_up.begin(), given_up.end(), Admission::share_full), 2);
  plug.release.set_value();
  pool.stop();
}

}  // namespace
}  // namespace keyturn::server::http

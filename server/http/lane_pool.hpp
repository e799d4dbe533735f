// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "core/protocol/request_handler.hpp"

namespace keyturn::server::http {

/// How much of a lane one app, or one caller, may have at a time. 0: all of it.
struct ShareLimits {
  std::size_t running = 0;
  std::size_t in_all = 0;  ///< Running and waiting.
};

struct LaneOptions {
  std::size_t threads = 1;
  std::size_t queue_bound = 256;
  std::chrono::milliseconds queue_deadline{5'000};
  int nicer = 0;  ///< How far the threads step back behind the others for the processor.
  ShareLimits per_app{};
  ShareLimits per_caller{};
};

/// Threads for work of one kind, with a bounded queue in front of them, so that slow work of one kind never
/// delays another (row B-68). A job whose app or caller has its share of the threads waits, and others pass
/// it (row B-87).
///
/// Thread safety: all members; `stop` once. Exactly one of the two functions of a job that was taken is
/// called, with no lock held, on a thread of the pool or on the one that calls `expire` or `stop`.
class LanePool {
 public:
  enum class Admission {
    taken,
    lane_full,   ///< Or the pool has stopped.
    share_full,  ///< The app or the caller has as much in the lane as it may.
  };
  struct Job {
    std::function<void()> run;
    /// It waited longer than the queue's deadline, for a thread or for its share, or the pool stopped.
    std::function<void(Admission why)> give_up;
    protocol::Share share{};
  };

  /// The name stays valid: a literal.
  LanePool(const char* thread_name, LaneOptions options, Clock& clock);
  LanePool(const LanePool&) = delete;
  LanePool& operator=(const LanePool&) = delete;
  ~LanePool();

  /// What is not taken is left as it was.
  [[nodiscard]] Admission submit(Job& job);
  /// Gives up the jobs whose deadline has passed while every thread was busy. Called now and then.
  void expire();
  /// Gives up what waits, waits for what runs.
  void stop();

 private:
  struct Waiting {
    Job job;
    BootTime deadline;
  };
  struct Count {
    std::size_t running = 0;
    std::size_t in_all = 0;
  };
  using Counts = std::unordered_map<std::uint64_t, Count>;
  using Queue = std::deque<Waiting>;

  void work();
  // Under the lock.
  [[nodiscard]] bool has_place(const protocol::Share& share) const;
  [[nodiscard]] bool may_run(const protocol::Share& share) const;
  [[nodiscard]] Queue::iterator find_runnable();
  Waiting take(Queue::iterator at);
  void count(const protocol::Share& share, int running, int in_all);

  const LaneOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue queue_;
  Counts apps_;
  Counts callers_;
  std::atomic<std::size_t> waiting_{0};
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace keyturn::server::http

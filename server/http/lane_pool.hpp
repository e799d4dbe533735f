// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <keyturn/base/clock.hpp>

namespace keyturn::server::http {

struct LaneOptions {
  std::size_t threads = 1;
  std::size_t queue_bound = 256;
  std::chrono::milliseconds queue_deadline{5'000};
  int nicer = 0;  ///< How far the threads step back behind the others for the processor.
};

/// Threads for work of one kind, with a bounded queue in front of them, so that slow work of one kind never
/// delays another (row B-68).
///
/// Thread safety: all members; `stop` once. Exactly one of the two functions of a job that was taken is
/// called, with no lock held, on a thread of the pool or on the one that calls `expire` or `stop`.
class LanePool {
 public:
  struct Job {
    std::function<void()> run;
    std::function<void()> give_up;  ///< It waited longer than the queue's deadline, or the pool stopped.
  };

  LanePool(LaneOptions options, Clock& clock);
  LanePool(const LanePool&) = delete;
  LanePool& operator=(const LanePool&) = delete;
  ~LanePool();

  /// False: the queue is full or the pool has stopped; the job is left as it was.
  [[nodiscard]] bool submit(Job& job);
  /// Gives up the jobs whose deadline has passed while every thread was busy. Called now and then.
  void expire();
  /// Gives up what waits, waits for what runs.
  void stop();

 private:
  struct Waiting {
    Job job;
    BootTime deadline;
  };
  void work();

  const LaneOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> queue_;
  std::atomic<std::size_t> waiting_{0};
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace keyturn::server::http

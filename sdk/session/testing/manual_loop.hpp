// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "core/testing/fake_clock.hpp"
#include "sdk/session/callbacks.hpp"
#include "sdk/transport/transport.hpp"

namespace keyturn::sdk::testing {

/// A loop that a test turns by hand on a `FakeClock`. Tasks may be posted from any thread; one thread turns
/// it.
class ManualLoop final : public IoLoop {
 public:
  explicit ManualLoop(keyturn::testing::FakeClock& clock) : clock_(clock) {}

  void post(Task task) override {
    const std::scoped_lock lock(mutex_);
    if (!stopped_) tasks_.push_back(std::move(task));
  }
  void schedule(std::chrono::milliseconds delay, Task task) override {
    const std::scoped_lock lock(mutex_);
    if (!stopped_) timers_.emplace(clock_.boot_now() + delay, std::move(task));
  }
  [[nodiscard]] bool on_loop_thread() const override { return true; }

  /// Runs the oldest task, a due timer included; false when there is none.
  bool run_one() {
    Task task;
    {
      const std::scoped_lock lock(mutex_);
      if (!tasks_.empty()) {
        task = std::move(tasks_.front());
        tasks_.pop_front();
      } else if (!timers_.empty() && timers_.begin()->first <= clock_.boot_now()) {
        task = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
      } else {
        return false;
      }
    }
    task();
    return true;
  }
  void run() {
    while (run_one()) {
    }
  }
  /// Lets time pass, stopping at each timer.
  void advance(std::chrono::microseconds by) {
    const BootTime end = clock_.boot_now() + by;
    for (;;) {
      run();
      BootTime next = end;
      {
        const std::scoped_lock lock(mutex_);
        if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
      }
      if (next > clock_.boot_now()) clock_.advance(next - clock_.boot_now());
      if (next >= end) break;
    }
    run();
  }
  void stop() {
    std::deque<Task> tasks;
    std::multimap<BootTime, Task> timers;
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    std::swap(tasks, tasks_);
    std::swap(timers, timers_);
  }
  [[nodiscard]] std::size_t timers() const {
    const std::scoped_lock lock(mutex_);
    return timers_.size();
  }

 private:
  keyturn::testing::FakeClock& clock_;
  mutable std::mutex mutex_;
  bool stopped_ = false;
  std::deque<Task> tasks_;
  std::multimap<BootTime, Task> timers_;
};

/// Keeps the app's code until the test runs it.
class LaterCallbacks final : public Callbacks {
 public:
  void run(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  [[nodiscard]] bool crowded() const override { return false; }
  void run_all() {
    for (const auto& task : std::exchange(tasks_, {})) task();
  }

 private:
  std::deque<std::function<void()>> tasks_;
};

/// Runs the app's code at once, on the thread that brings it.
class InlineCallbacks final : public Callbacks {
 public:
  void run(std::function<void()> task) override { task(); }
  [[nodiscard]] bool crowded() const override { return false; }
};

}  // namespace keyturn::sdk::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace keyturn::server::daemon {

/// Calls a function again and again on a thread of its own, with a pause after each call.
///
/// Thread safety: `stop` from one thread. Lifetime: the function runs no more once `stop` or the destructor
/// has returned.
class RepeatingTask {
 public:
  /// The name stays valid: a literal.
  RepeatingTask(const char* thread_name, std::chrono::milliseconds pause, std::function<void()> task);
  RepeatingTask(const RepeatingTask&) = delete;
  RepeatingTask& operator=(const RepeatingTask&) = delete;
  ~RepeatingTask();

  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace keyturn::server::daemon

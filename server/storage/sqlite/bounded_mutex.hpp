// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace keyturn::server::sqlite {

/// A mutex whose owner may keep it for long, so that waiting for it has a limit. Not `std::timed_mutex`: the
/// thread sanitizer of clang 14 does not know the system call behind that one.
class BoundedMutex {
 public:
  bool try_lock_for(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, limit, [this] { return !taken_; })) return false;
    taken_ = true;
    return true;
  }
  void unlock() {
    {
      const std::scoped_lock lock(mutex_);
      taken_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
};

}  // namespace keyturn::server::sqlite

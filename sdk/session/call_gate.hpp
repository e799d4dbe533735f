// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace keyturn::sdk {

/// Lets calls of an observer through until it is closed. Thread safety: all members; one call at a time.
class CallGate {
 public:
  /// Calls it unless the gate is closed; no lock is held during the call, which may throw.
  template <class Call>
  void pass(Call&& call) {
    {
      const std::scoped_lock lock(mutex_);
      if (closed_) return;
      caller_ = std::this_thread::get_id();
    }
    const Leave leave{*this};  // whatever the call throws
    call();
  }
  /// After this nothing is called again; waits for a call under way, unless that is the caller itself.
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    idle_.wait(lock,
               [this] { return caller_ == std::thread::id() || caller_ == std::this_thread::get_id(); });
  }

 private:
  struct Leave {
    CallGate& gate;
    ~Leave() {
      const std::scoped_lock lock(gate.mutex_);
      gate.caller_ = std::thread::id();
      gate.idle_.notify_all();
    }
  };

  std::mutex mutex_;  // a leaf
  std::condition_variable idle_;
  bool closed_ = false;
  std::thread::id caller_;
};

}  // namespace keyturn::sdk

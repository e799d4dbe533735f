// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <keyturn/base/pending.hpp>

namespace keyturn::sdk {

/// Calls code of the app, which may throw anything: false when it did. What it threw is dropped unread, as
/// nobody knows what it holds.
template <class Call>
[[nodiscard]] bool survives(Call&& call) noexcept {
  try {
    std::forward<Call>(call)();
    return true;
  } catch (...) {
    return false;
  }
}

/// A log of the app that may throw, as one that does not. Empty stays empty.
[[nodiscard]] std::function<void(std::string_view)> unthrowing(std::function<void(std::string_view)> log);

/// Where the code of the app is called: one call at a time, in order, no lock held.
class Callbacks : public detail::ContinuationRunner {
 public:
  /// True when so many calls wait that those which only inform may be left out.
  [[nodiscard]] virtual bool crowded() const = 0;
};

/// The callback thread of an `App`, started by the first call.
///
/// Bound of the queue: each continuation belongs to a call that the app made and waits for, so the app bounds
/// them itself; events that only inform are left out while more than `kCrowded` calls wait (EventHub). Thread
/// safety: all members. Lifetime: `close()` runs what waits, then ends the thread; what comes later runs on
/// the thread that brings it, so that no continuation is ever lost. Close it from another thread than its
/// own. In a child of fork() there is no such thread: what comes runs at once; it is not to be closed there.
class CallbackThread final : public Callbacks {
 public:
  static constexpr std::size_t kCrowded = 1024;

  /// `threw` is called after a call that threw; what it threw ends there. `in_child` tells whether this is a
  /// child of the process that the object was made in.
  explicit CallbackThread(std::function<void()> threw = {}, std::function<bool()> in_child = {})
      : threw_(std::move(threw)), in_child_(std::move(in_child)) {}
  ~CallbackThread() override;
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  void run(std::function<void()> task) override;
  [[nodiscard]] bool crowded() const override;
  void close();

 private:
  void work();
  void call(const std::function<void()>& task) const;

  const std::function<void()> threw_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool closed_ = false;
  std::thread thread_;
  const std::function<bool()> in_child_;
};

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "sdk/transport/transport.hpp"

namespace keyturn::sdk {

/// Another process was in the middle of its own step of the store; nothing was changed.
template <class T>
[[nodiscard]] bool is_locked(const Result<T>& outcome) {
  return !outcome && outcome.error().code == ErrorCode::StoreLocked;
}

/// What has found the store locked and is tried again, on the loop, until it is done or its patience is over.
/// Others wait in line behind the first: so the loop is held up by one try at a time, and what was asked for
/// first is done first.
///
/// Thread safety: loop thread only; `close` after the loop has stopped.
class StoreQueue {
 public:
  /// Answers false when the store was locked and the whole is to be tried again; it must have told nobody
  /// anything then. With `last` there is no other time: it takes what it meets for its result.
  using Attempt = std::function<bool(bool last)>;

  StoreQueue(Clock& clock, IoLoop& loop, std::chrono::milliseconds patience)
      : clock_(clock), loop_(loop), patience_(patience) {}

  /// Tries at once, unless others wait.
  void run(Attempt attempt);
  /// Tries at once, whoever waits: for a log-out, which is to hold in memory without delay.
  void run_at_once(Attempt attempt);
  /// First tries after a pause: for what has just met a locked store.
  void run_later(Attempt attempt);
  /// Tries each that waits for the last time, and from now on each that comes once.
  void close();

 private:
  struct Waiting {
    Attempt attempt;
    BootTime until;
  };
  void arm();
  void try_first_ones();

  Clock& clock_;
  IoLoop& loop_;
  const std::chrono::milliseconds patience_;
  std::deque<Waiting> waiting_;
  bool closed_ = false;
};

}  // namespace keyturn::sdk

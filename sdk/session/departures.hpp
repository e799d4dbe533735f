// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "sdk/session/answer.hpp"
#include "sdk/session/user_record.hpp"

namespace keyturn::sdk {

/// Log-outs and removals that were asked for and not done yet. Unlike what is merely posted to the loop they
/// outlast it: an app that closes does them before it ends, so that no log-out is lost (rule S15).
///
/// Thread safety: all members; one thread at a time takes.
class Departures {
 public:
  enum class Kind { log_out, remove };
  struct Departure {
    Kind kind;
    std::shared_ptr<UserRecord> user;
    Answer<void> answer;
  };

  /// False once it is closed.
  [[nodiscard]] bool add(Departure departure) {
    const std::scoped_lock lock(mutex_);
    if (closed_) return false;
    waiting_.push_back(std::move(departure));
    return true;
  }
  /// The oldest one. It counts as waiting until `done`.
  [[nodiscard]] std::optional<Departure> first() const {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front();
  }
  void done() {
    std::optional<Departure> over;  // destroyed outside the lock
    const std::scoped_lock lock(mutex_);
    over.emplace(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  [[nodiscard]] bool waiting() const {
    const std::scoped_lock lock(mutex_);
    return !waiting_.empty();
  }
  /// Nothing is taken any more.
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }

 private:
  mutable std::mutex mutex_;  // a leaf
  std::deque<Departure> waiting_;
  bool closed_ = false;
};

}  // namespace keyturn::sdk

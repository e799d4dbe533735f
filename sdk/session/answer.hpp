// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <keyturn/base/pending.hpp>

namespace keyturn::sdk {

/// What is told of a call that was given up because its `App` was closed.
[[nodiscard]] inline Error app_closed() {
  return {ErrorCode::ClientAppDeallocated, "the app was closed before the answer came"};
}

/// The giving end of a `Pending` that answers by itself when it is forgotten: a task that a stopped loop
/// destroys unrun takes its `Answer` with it, and the caller learns that the app was closed instead of
/// waiting for ever.
///
/// Thread safety: all members; the first `set` counts.
template <class T>
class Answer {
 public:
  explicit Answer(std::shared_ptr<detail::ContinuationRunner> runner)
      : last_(std::make_shared<Last>(std::move(runner))) {}

  [[nodiscard]] Pending<T> pending() const { return last_->promise.pending(); }
  void set(Result<T> result) const {
    last_->given.store(true, std::memory_order_relaxed);
    last_->promise.set(std::move(result));
  }

 private:
  struct Last {
    explicit Last(std::shared_ptr<detail::ContinuationRunner> runner) : promise(std::move(runner)) {}
    Last(const Last&) = delete;
    Last& operator=(const Last&) = delete;
    ~Last() {
      if (!given.load(std::memory_order_relaxed)) promise.set(app_closed());
    }
    Promise<T> promise;
    std::atomic<bool> given{false};
  };
  std::shared_ptr<Last> last_;
};

}  // namespace keyturn::sdk

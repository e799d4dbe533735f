// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <keyturn/base/result.hpp>

namespace keyturn {

template <class T>
class Promise;

namespace detail {

/// Runs the continuations of `then` and `co_await` somewhere else than on the thread that gives the answer.
class ContinuationRunner {
 public:
  virtual ~ContinuationRunner() = default;
  /// Runs the task soon, exactly once. Thread-safe.
  virtual void run(std::function<void()> task) = 0;
};

/// The place where the answer of one asynchronous call is left; shared by its `Promise` and its `Pending`.
template <class T>
class PendingState {
 public:
  PendingState() = default;
  explicit PendingState(std::shared_ptr<ContinuationRunner> runner) : runner_(std::move(runner)) {}

  void set(Result<T> result) {
    std::function<void(Result<T>)> continuation;
    {
      const std::scoped_lock lock(mutex_);
      if (done_) return;  // the first answer counts
      done_ = true;
      if (!continuation_) {
        result_.emplace(std::move(result));
        ready_.notify_all();
        return;
      }
      continuation = std::move(continuation_);
    }
    // Outside the lock: foreign code.
    if (!runner_) {
      continuation(std::move(result));
      return;
    }
    runner_->run([continuation = std::move(continuation),
                  kept = std::make_shared<Result<T>>(std::move(result))] { continuation(std::move(*kept)); });
  }

  [[nodiscard]] bool is_ready() const {
    const std::scoped_lock lock(mutex_);
    return result_.has_value();
  }

  Result<T> take() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return result_.has_value(); });
    Result<T> taken = std::move(*result_);
    result_.reset();
    return taken;
  }

  void on_ready(std::function<void(Result<T>)> continuation) {
    std::optional<Result<T>> now;
    {
      const std::scoped_lock lock(mutex_);
      if (!result_) {
        continuation_ = std::move(continuation);
        return;
      }
      now.emplace(std::move(*result_));
      result_.reset();
    }
    continuation(std::move(*now));
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  bool done_ = false;
  std::optional<Result<T>> result_;
  std::function<void(Result<T>)> continuation_;
  const std::shared_ptr<ContinuationRunner> runner_;
};

}  // namespace detail

/// The answer of an asynchronous call that may still be on its way. Consume it once, in one of four ways:
/// `get()`, `result()`, `then()` or `co_await`.
///
/// Thread safety: a `Pending` belongs to one thread at a time.
/// Lifetime: independent of the object that returned it. Every call has a deadline, so an answer always
/// comes; when the `App` is closed first, the answer is an error with code `ClientAppDeallocated`.
/// Cancellation: dropping a `Pending` abandons the wait, never the work that others may share (such as a
/// refresh).
template <class T>
class [[nodiscard]] Pending {
 public:
  using value_type = T;

  /// Already answered.
  Pending(Result<T> result) : state_(std::make_shared<detail::PendingState<T>>()) {  // NOLINT
    state_->set(std::move(result));
  }
  Pending(Error error) : Pending(Result<T>(std::move(error))) {}  // NOLINT(google-explicit-constructor)

  /// True when the answer has come, so that `result()` would not wait.
  [[nodiscard]] bool is_ready() const { return state_->is_ready(); }

  /// Waits, then gives the value or throws the `Error`. The only thing of Keyturn that throws.
  T get() {
    Result<T> outcome = state_->take();
    if (!outcome) throw Error(outcome.error());
    if constexpr (!std::is_void_v<T>) return std::move(outcome).value();
  }

  /// Waits, then gives the value or the error.
  Result<T> result() { return state_->take(); }

  /// Calls `f(Result<T>)` once: at once when the answer is here, else on the SDK's callback thread.
  /// No lock is held during the call. What `f` throws on the callback thread is caught and dropped, and a
  /// line of the log tells of it.
  void then(std::function<void(Result<T>)> f) { state_->on_ready(std::move(f)); }

  /// `co_await pending` gives a `Result<T>`; the coroutine resumes where `then` would call.
  auto operator co_await() {
    struct Awaiter {
      std::shared_ptr<detail::PendingState<T>> state;
      std::optional<Result<T>> outcome;
      // An answer that is here is taken without suspending, so that a loop over ready answers does not deepen
      // the stack.
      bool await_ready() { return state->is_ready(); }
      void await_suspend(std::coroutine_handle<> handle) {
        // The awaiter lives in the suspended coroutine's frame, which only this resumption continues.
        state->on_ready([this, handle](Result<T> result) {
          outcome.emplace(std::move(result));
          handle.resume();
        });
      }
      Result<T> await_resume() {
        if (outcome) return std::move(*outcome);
        return state->take();
      }
    };
    return Awaiter{state_, std::nullopt};
  }

 private:
  friend class Promise<T>;
  explicit Pending(std::shared_ptr<detail::PendingState<T>> state) : state_(std::move(state)) {}

  std::shared_ptr<detail::PendingState<T>> state_;
};

/// The giving end of a `Pending`. Copies share the same answer; the first `set` counts.
template <class T>
class Promise {
 public:
  Promise() : state_(std::make_shared<detail::PendingState<T>>()) {}
  /// Whoever waits in `get()` or `result()` is woken at once; a continuation runs where the runner puts it.
  explicit Promise(std::shared_ptr<detail::ContinuationRunner> runner)
      : state_(std::make_shared<detail::PendingState<T>>(std::move(runner))) {}
  [[nodiscard]] Pending<T> pending() const { return Pending<T>(state_); }
  void set(Result<T> result) const { state_->set(std::move(result)); }

 private:
  std::shared_ptr<detail::PendingState<T>> state_;
};

}  // namespace keyturn

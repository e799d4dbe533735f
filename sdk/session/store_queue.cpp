// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/store_queue.hpp"

#include <utility>

namespace keyturn::sdk {
namespace {

/// Longer than a try, so that most of the time the loop is there for others.
constexpr std::chrono::milliseconds kPause{50};

}  // namespace

void StoreQueue::run(Attempt attempt) {
  if (waiting_.empty()) {
    run_at_once(std::move(attempt));
  } else {
    run_later(std::move(attempt));
  }
}

void StoreQueue::run_at_once(Attempt attempt) {
  if (!closed_ && attempt(false)) return;
  run_later(std::move(attempt));
}

void StoreQueue::run_later(Attempt attempt) {
  if (closed_) {
    (void)attempt(true);
    return;
  }
  waiting_.push_back({std::move(attempt), clock_.boot_now() + patience_});
  if (waiting_.size() == 1) arm();
}

void StoreQueue::arm() {
  loop_.schedule(kPause, [this] { try_first_ones(); });
}

void StoreQueue::try_first_ones() {
  while (!waiting_.empty()) {
    // It stays the first until it is done: what it asks for in turn comes after those who wait.
    const Waiting& first = waiting_.front();
    const bool last = clock_.boot_now() >= first.until;
    if (!first.attempt(last) && !last) {
      arm();
      return;
    }
    waiting_.pop_front();
  }
}

void StoreQueue::close() {
  closed_ = true;
  while (!waiting_.empty()) {
    const Attempt attempt = std::move(waiting_.front().attempt);
    waiting_.pop_front();
    (void)attempt(true);
  }
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include <keyturn/base/clock.hpp>

namespace keyturn::sdk {

/// How a failing call is spaced (problem 6). Any member may be changed for tests.
struct BackoffPolicy {
  std::chrono::milliseconds base{1000};
  std::chrono::milliseconds cap{60'000};
  /// No more than `budget` failed tries start within any `window`, whatever chance gives: a third of them in
  /// a row, then one at a time, evenly, so that clients whose budget is spent do not come back together.
  int budget = 30;
  std::chrono::seconds window{600};
};

/// The cool-down after failures, shared by all callers of one thing. Pure: time and chance are arguments.
///
/// Full jitter: after the n-th failure in a row the next try may start after a random part of base * 2^(n-1),
/// at most the cap, from which is taken what the try took: a network that is silent for a while is asked
/// again within the cap, however long a try waits (row B-22). A server's `Retry-After` takes its place,
/// lengthened by up to a twentieth so that clients do not come back together.
class Backoff {
 public:
  constexpr explicit Backoff(BackoffPolicy policy = {}) : policy_(policy) {}

  /// What another process needs to go on with the same cool-down.
  struct State {
    int failures = 0;
    BootTime not_before{};
    BootTime spent_until{};  ///< When the whole budget will be there again.
  };
  [[nodiscard]] constexpr State state() const { return {failures_, not_before_, spent_until_}; }
  constexpr void restore(const State& state) {
    failures_ = std::clamp(state.failures, 0, kMostFailures);
    not_before_ = state.not_before;
    spent_until_ = std::max(spent_until_, state.spent_until);
  }

  [[nodiscard]] constexpr bool may_try(BootTime now) const { return now >= not_before_; }
  /// When the next try may start.
  [[nodiscard]] constexpr BootTime not_before() const { return not_before_; }
  [[nodiscard]] constexpr int failures() const { return failures_; }

  constexpr void failed(BootTime now, std::optional<std::chrono::seconds> retry_after, std::uint32_t chance,
                        std::chrono::microseconds took = std::chrono::microseconds(0)) {
    failures_ = std::min(failures_ + 1, kMostFailures);
    const auto part_of = [](std::uint32_t drawn, std::chrono::microseconds whole) {
      return whole * static_cast<std::int64_t>(drawn % 65'536U) / 65'536;
    };
    const auto part = [&](std::chrono::microseconds whole) { return part_of(chance, whole); };
    if (retry_after) {
      const std::chrono::microseconds wait = *retry_after;
      not_before_ = now + wait + part(wait / 20);
    } else {
      const int doublings = std::min(failures_ - 1, 20);
      const std::chrono::microseconds most =
          std::max<std::chrono::microseconds>(policy_.cap - took, std::min(policy_.base, policy_.cap));
      const std::chrono::microseconds grown =
          std::min<std::chrono::microseconds>(policy_.base * (std::int64_t{1} << doublings), most);
      not_before_ = now + part(grown);
    }
    const std::int64_t in_a_row = std::max(policy_.budget / 3, 1);
    const std::chrono::microseconds each =
        std::chrono::microseconds(policy_.window) / std::max<std::int64_t>(policy_.budget - in_a_row, 1);
    spent_until_ = std::max(spent_until_, now) + each;
    const BootTime affordable = spent_until_ - each * (in_a_row - 1);
    if (affordable > not_before_) not_before_ = affordable + part_of(chance >> 16U, each);
  }

  constexpr void succeeded() {
    failures_ = 0;
    not_before_ = BootTime();
  }

 private:
  static constexpr int kMostFailures = 1'000'000;

  BackoffPolicy policy_;
  BootTime not_before_{};
  int failures_ = 0;
  BootTime spent_until_{};
};

}  // namespace keyturn::sdk

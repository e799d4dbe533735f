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
  /// No more than `budget` failed tries start within one `window`, whatever chance gives.
  int budget = 30;
  std::chrono::seconds window{600};
};

/// The cool-down after failures, shared by all callers of one thing. Pure: time and chance are arguments.
///
/// Full jitter: after the n-th failure in a row the next try may start after a random part of base * 2^(n-1),
/// at most the cap; a server's `Retry-After` takes its place, lengthened by up to a twentieth so that clients
/// do not come back together.
class Backoff {
 public:
  constexpr explicit Backoff(BackoffPolicy policy = {}) : policy_(policy) {}

  [[nodiscard]] constexpr bool may_try(BootTime now) const { return now >= not_before_; }
  /// When the next try may start.
  [[nodiscard]] constexpr BootTime not_before() const { return not_before_; }
  [[nodiscard]] constexpr int failures() const { return failures_; }

  constexpr void failed(BootTime now, std::optional<std::chrono::seconds> retry_after, std::uint32_t chance) {
    failures_ = std::min(failures_ + 1, 1'000'000);
    const auto part = [chance](std::chrono::microseconds whole) {
      return whole * static_cast<std::int64_t>(chance % 65'536U) / 65'536;
    };
    if (retry_after) {
      const std::chrono::microseconds wait = *retry_after;
      not_before_ = now + wait + part(wait / 20);
    } else {
      const int doublings = std::min(failures_ - 1, 20);
      const std::chrono::microseconds grown =
          std::min<std::chrono::microseconds>(policy_.base * (std::int64_t{1} << doublings), policy_.cap);
      not_before_ = now + part(grown);
    }
    if (now - window_start_ >= policy_.window || spent_ == 0) {
      window_start_ = now;
      spent_ = 0;
    }
    if (++spent_ >= policy_.budget) not_before_ = std::max(not_before_, window_start_ + policy_.window);
  }

  constexpr void succeeded() {
    failures_ = 0;
    not_before_ = BootTime();
  }

 private:
  BackoffPolicy policy_;
  BootTime not_before_{};
  int failures_ = 0;
  BootTime window_start_{};
  int spent_ = 0;
};

}  // namespace keyturn::sdk

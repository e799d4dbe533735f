// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include <keyturn/base/clock.hpp>

namespace keyturn::testing {

/// A clock that moves only when told. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime wall = WallTime(std::chrono::seconds(1'700'000'000)),
                     BootTime boot = BootTime(std::chrono::hours(1)))
      : wall_(wall), boot_(boot) {}

  [[nodiscard]] WallTime wall_now() const override {
    const std::scoped_lock lock(mutex_);
    return wall_;
  }
  [[nodiscard]] BootTime boot_now() const override {
    const std::scoped_lock lock(mutex_);
    return boot_;
  }

  /// Time passes: both lines move.
  void advance(std::chrono::microseconds by) {
    const std::scoped_lock lock(mutex_);
    wall_ += by;
    boot_ += by;
  }
  /// Somebody sets the wall clock; no time passes.
  void step_wall(std::chrono::microseconds by) {
    const std::scoped_lock lock(mutex_);
    wall_ += by;
  }

 private:
  mutable std::mutex mutex_;
  WallTime wall_;
  BootTime boot_;
};

}  // namespace keyturn::testing

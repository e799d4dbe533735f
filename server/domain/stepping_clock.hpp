// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include <keyturn/base/clock.hpp>

namespace keyturn::server {

/// A clock that does not believe a step of the machine's wall clock at once (row B-94): a wrong one would end
/// all sessions, or give tokens a longer life. Steps of up to `kSmallStep` are taken as they come. During a
/// greater one time goes on as the boot clock tells; when the step is undone nothing has happened, and when
/// it has lasted for `kDoubt` it is believed.
///
/// Thread safety: all members; `watch` from one thread at a time.
class SteppingClock final : public Clock {
 public:
  static constexpr std::chrono::seconds kSmallStep{60};
  static constexpr std::chrono::minutes kDoubt{10};

  struct Step {
    std::chrono::seconds by{};  ///< Forward or, when negative, backward.
    bool believed = false;      ///< Else it is in doubt.
  };
  /// `tell` gets each step once when it is seen and once when it is believed; it may be empty. `machine` must
  /// outlive this object.
  SteppingClock(Clock& machine, std::function<void(const Step&)> tell);

  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] BootTime boot_now() const override { return machine_.boot_now(); }

  /// Follows the machine's clock. Called on a timer, every few seconds: between two calls the clock may drift
  /// by no more than `kSmallStep`.
  void watch();

 private:
  [[nodiscard]] static std::int64_t offset_of(WallTime wall, BootTime boot) noexcept {
    return wall.time_since_epoch().count() - boot.time_since_epoch().count();
  }

  Clock& machine_;
  const std::function<void(const Step&)> tell_;
  std::atomic<std::int64_t> offset_;  ///< Of wall time to boot time as believed, in microseconds.
  std::optional<BootTime> doubt_since_;
  std::int64_t doubted_ = 0;  ///< The step in doubt, in microseconds.
};

}  // namespace keyturn::server

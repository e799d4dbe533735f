// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace keyturn {

/// A point of wall time (UTC), in microseconds since 1970-01-01.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// The time line that starts at boot, never steps, and goes on while the device sleeps (`CLOCK_BOOTTIME`).
/// It names the time points only; reading it goes through `Clock`.
struct BootClock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

/// A point on the `BootClock` time line.
using BootTime = BootClock::time_point;

/// Where time comes from. Rules take a time as an argument; objects take a `Clock&`; nothing else reads a
/// clock.
///
/// Thread safety: all members may be called from any thread.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// The device's wall clock: may be wrong by years and may step.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  /// Time since boot, sleep included: right for measuring how long ago something happened.
  [[nodiscard]] virtual BootTime boot_now() const = 0;
};

/// The clock of this machine. Lifetime: that of the program.
[[nodiscard]] Clock& system_clock();

}  // namespace keyturn

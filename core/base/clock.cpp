// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include <keyturn/base/clock.hpp>

namespace keyturn {
namespace {

std::chrono::microseconds read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);  // cannot fail: both clocks exist since Linux 2.6.39
  return std::chrono::seconds(now.tv_sec) +
         std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(now.tv_nsec));
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override { return WallTime(read_clock(CLOCK_REALTIME)); }
  [[nodiscard]] BootTime boot_now() const override { return BootTime(read_clock(CLOCK_BOOTTIME)); }
};

}  // namespace

Clock& system_clock() {
  // Never destroyed: threads that outlive main() may still ask for the time.
  static Clock& clock = *new SystemClock;
  return clock;
}

}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/stepping_clock.hpp"

#include <utility>

namespace keyturn::server {
namespace {

using std::chrono::microseconds;

bool is_small(std::int64_t step) {
  constexpr std::int64_t kSmall = microseconds(SteppingClock::kSmallStep).count();
  return step <= kSmall && step >= -kSmall;
}

SteppingClock::Step step_of(std::int64_t step, bool believed) {
  return {std::chrono::duration_cast<std::chrono::seconds>(microseconds(step)), believed};
}

}  // namespace

SteppingClock::SteppingClock(Clock& machine, std::function<void(const Step&)> tell)
    : machine_(machine), tell_(std::move(tell)), offset_(offset_of(machine.wall_now(), machine.boot_now())) {}

WallTime SteppingClock::wall_now() const {
  const WallTime wall = machine_.wall_now();
  const BootTime boot = machine_.boot_now();
  const std::int64_t believed = offset_.load(std::memory_order_relaxed);
  if (is_small(offset_of(wall, boot) - believed)) return wall;
  return WallTime(boot.time_since_epoch() + microseconds(believed));
}

void SteppingClock::watch() {
  const WallTime wall = machine_.wall_now();
  const BootTime boot = machine_.boot_now();
  const std::int64_t now = offset_of(wall, boot);
  const std::int64_t step = now - offset_.load(std::memory_order_relaxed);
  if (is_small(step)) {
    offset_.store(now, std::memory_order_relaxed);
    doubt_since_.reset();
    return;
  }
  // Another step while one is in doubt begins the doubt anew.
  if (!doubt_since_ || !is_small(step - doubted_)) {
    doubt_since_ = boot;
    doubted_ = step;
    if (tell_) tell_(step_of(step, false));
    return;
  }
  if (boot - *doubt_since_ < kDoubt) return;
  offset_.store(now, std::memory_order_relaxed);
  doubt_since_.reset();
  if (tell_) tell_(step_of(step, true));
}

}  // namespace keyturn::server

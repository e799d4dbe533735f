// SPDX-License-Identifier: Apache-2.0
#include "core/base/processor_time.hpp"

#include <ctime>

namespace keyturn {

std::chrono::nanoseconds processor_time_of(int process_id) noexcept {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process_id, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace keyturn {

/// What a process has calculated in its life, on all its threads (clock_getcpuclockid(3)). 0 when it is gone.
/// Thread safety: any thread.
[[nodiscard]] std::chrono::nanoseconds processor_time_of(int process_id) noexcept;

}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace keyturn::faults::memory {

/// The memory that this process asks for, SQLite's, libcurl's and the pages of secrets too: `malloc` with its
/// relatives, so `new` as well, and `mmap`. They are interposed (memory_faults.cpp), in every thread.

/// The `nth` request from now is refused (1 is the next one); 0 takes the plan back.
void fail(std::uint64_t nth);
/// Whether the planned refusal has happened; takes the plan back.
bool stop_failing();
/// Pieces of `malloc` that nobody has given back.
[[nodiscard]] std::int64_t held();

}  // namespace keyturn::faults::memory

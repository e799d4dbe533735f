// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace keyturn {

/// What the memory of secrets costs and how well it is kept.
struct GuardedMemoryUse {
  std::size_t reserved = 0;   ///< Bytes taken from the system.
  std::size_t locked = 0;     ///< Of them kept out of swap; at most 64 KiB.
  std::size_t in_use = 0;     ///< Bytes given out.
  bool lock_refused = false;  ///< The system's limit (RLIMIT_MEMLOCK) did not allow all of the locked part.
};

/// Memory for secrets (rule S12): in areas of their own between pages that cannot be touched, left out of
/// core dumps, the first 64 KiB kept out of swap where the system allows it, and wiped when given back.
/// Throws `std::bad_alloc` when there is no memory. Thread safety: all.
[[nodiscard]] void* guarded_allocate(std::size_t size);
void guarded_free(void* data, std::size_t size) noexcept;
[[nodiscard]] GuardedMemoryUse guarded_memory_use();

/// Overwrites what copying a secret may have left in the registers of this thread, and where the loader saves
/// them: the unused stack below the caller. A core dump holds both. Takes about a microsecond: for what is
/// handled once, such as a password, and for a thread before it waits.
void wipe_traces() noexcept;

}  // namespace keyturn

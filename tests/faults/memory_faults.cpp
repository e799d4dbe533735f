// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/memory_faults.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace keyturn::faults::memory {
namespace {

std::atomic<std::uint64_t> fail_in{0};
std::atomic<bool> failed{false};
std::atomic<std::int64_t> pieces{0};

/// Whether this request is the one to refuse.
bool refused() {
  std::uint64_t left = fail_in.load(std::memory_order_relaxed);
  do {
    if (left == 0) return false;
  } while (!fail_in.compare_exchange_weak(left, left - 1));
  if (left != 1) return false;
  failed = true;
  errno = ENOMEM;
  return true;
}

void* counted(void* piece) {
  if (piece != nullptr) pieces.fetch_add(1, std::memory_order_relaxed);
  return piece;
}

}  // namespace

void fail(std::uint64_t nth) {
  failed = false;
  fail_in = nth;
}
bool stop_failing() {
  fail_in = 0;
  return failed;
}
std::int64_t held() { return pieces.load(std::memory_order_relaxed); }

}  // namespace keyturn::faults::memory

// The C library's own, under the names that it keeps for programs like this one.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* piece, std::size_t size);             // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* piece);                                   // NOLINT(bugprone-reserved-identifier)
}

#define KEYTURN_INTERPOSED extern "C" __attribute__((visibility("default")))
namespace faulty = keyturn::faults::memory;

KEYTURN_INTERPOSED void* malloc(std::size_t size) noexcept {
  return faulty::refused() ? nullptr : faulty::counted(__libc_malloc(size));
}
KEYTURN_INTERPOSED void* calloc(std::size_t count, std::size_t size) noexcept {
  return faulty::refused() ? nullptr : faulty::counted(__libc_calloc(count, size));
}
KEYTURN_INTERPOSED void* realloc(void* piece, std::size_t size) noexcept {
  if (faulty::refused()) return nullptr;
  void* const moved = __libc_realloc(piece, size);
  return piece == nullptr ? faulty::counted(moved) : moved;
}
KEYTURN_INTERPOSED void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return faulty::refused() ? nullptr : faulty::counted(__libc_memalign(alignment, size));
}
KEYTURN_INTERPOSED void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}
KEYTURN_INTERPOSED int posix_memalign(void** piece, std::size_t alignment, std::size_t size) noexcept {
  *piece = memalign(alignment, size);
  return *piece == nullptr ? ENOMEM : 0;
}
KEYTURN_INTERPOSED void free(void* piece) noexcept {
  if (piece != nullptr) faulty::pieces.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(piece);
}

static void* mapped(void* place, std::size_t size, int rights, int flags, int file, off_t offset) {
  if (faulty::refused()) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, place, size, rights, flags, file, offset));
}
KEYTURN_INTERPOSED void* mmap(void* place, std::size_t size, int rights, int flags, int file,
                              off_t offset) noexcept {
  return mapped(place, size, rights, flags, file, offset);
}
KEYTURN_INTERPOSED void* mmap64(void* place, std::size_t size, int rights, int flags, int file,
                                off64_t offset) noexcept {
  return mapped(place, size, rights, flags, file, offset);
}

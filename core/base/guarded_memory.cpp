// SPDX-License-Identifier: Apache-2.0
#include "core/base/guarded_memory.hpp"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>

#include <keyturn/base/secret.hpp>

namespace keyturn {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kArea = std::size_t{64} * 1024;
constexpr std::size_t kLockedAtMost = std::size_t{64} * 1024;
// Pieces of 64 bytes to 4 KiB in powers of two; larger ones get pages of their own.
constexpr std::size_t kSmallest = 64;
constexpr std::size_t kClasses = 7;

std::size_t class_of(std::size_t size) {
  std::size_t piece = kSmallest;
  std::size_t index = 0;
  for (; piece < size; piece *= 2) ++index;
  return index;
}

std::size_t in_pages(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

/// Pages with an untouchable one before and after them.
unsigned char* map_between_guards(std::size_t size) {
  void* const whole =
      ::mmap(nullptr, size + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED) throw std::bad_alloc();
  unsigned char* const inside = static_cast<unsigned char*>(whole) + kPage;
  if (::mprotect(inside, size, PROT_READ | PROT_WRITE) != 0) {
    (void)::munmap(whole, size + 2 * kPage);
    throw std::bad_alloc();
  }
  (void)::madvise(inside, size, MADV_DONTDUMP);
  return inside;
}

class Pool {
 public:
  void* take(std::size_t size) {
    const std::size_t index = class_of(size);
    const std::scoped_lock lock(mutex_);
    if (index >= kClasses) {
      void* const pages = map_between_guards(in_pages(size));
      use_.reserved += in_pages(size);
      use_.in_use += in_pages(size);
      return pages;
    }
    if (free_[index] == nullptr) refill(index);
    use_.in_use += kSmallest << index;
    Free* const piece = free_[index];
    free_[index] = piece->next;
    piece->next = nullptr;
    return piece;
  }

  void give_back(void* data, std::size_t size) {
    const std::size_t index = class_of(size);
    if (index >= kClasses) {
      wipe_memory(data, size);
      (void)::munmap(static_cast<unsigned char*>(data) - kPage, in_pages(size) + 2 * kPage);
      const std::scoped_lock lock(mutex_);
      use_.reserved -= in_pages(size);
      use_.in_use -= in_pages(size);
      return;
    }
    wipe_memory(data, kSmallest << index);
    const std::scoped_lock lock(mutex_);
    use_.in_use -= kSmallest << index;
    push(index, data);
  }

  GuardedMemoryUse use() {
    const std::scoped_lock lock(mutex_);
    return use_;
  }

 private:
  struct Free {
    Free* next;
  };

  void push(std::size_t index, void* data) { free_[index] = new (data) Free{free_[index]}; }

  // Under the lock. A class grows by a page, so that few users cost little.
  void refill(std::size_t index) {
    if (left_ == 0) new_area();
    unsigned char* const page = next_;
    next_ += kPage;
    left_ -= kPage;
    const std::size_t piece = kSmallest << index;
    for (std::size_t at = kPage; at >= piece; at -= piece) push(index, page + at - piece);
    if (use_.locked + kPage > kLockedAtMost || use_.lock_refused) return;
    if (::mlock(page, kPage) == 0) {
      use_.locked += kPage;
    } else {
      use_.lock_refused = true;
    }
  }

  void new_area() {
    next_ = map_between_guards(kArea);
    left_ = kArea;
    use_.reserved += kArea;
  }

  std::mutex mutex_;  // a leaf
  std::array<Free*, kClasses> free_{};
  unsigned char* next_ = nullptr;
  std::size_t left_ = 0;
  GuardedMemoryUse use_;
};

/// Never destroyed: secrets of static objects come back late.
Pool& pool() {
  alignas(Pool) static std::array<unsigned char, sizeof(Pool)> place;
  static Pool& made = *new (place.data()) Pool;
  return made;
}

}  // namespace

namespace {

#if defined(__x86_64__)
__attribute__((target("avx"))) void zero_avx_registers() { __asm__ volatile("vzeroall" ::: "memory"); }
// The sixteen that vzeroall does not know; to write the lower part of one empties all of it.
__attribute__((target("avx512f,avx512vl"))) void zero_avx512_registers() {
  __asm__ volatile(
      "vpxorq %%xmm16, %%xmm16, %%xmm16\n\tvpxorq %%xmm17, %%xmm17, %%xmm17\n\t"
      "vpxorq %%xmm18, %%xmm18, %%xmm18\n\tvpxorq %%xmm19, %%xmm19, %%xmm19\n\t"
      "vpxorq %%xmm20, %%xmm20, %%xmm20\n\tvpxorq %%xmm21, %%xmm21, %%xmm21\n\t"
      "vpxorq %%xmm22, %%xmm22, %%xmm22\n\tvpxorq %%xmm23, %%xmm23, %%xmm23\n\t"
      "vpxorq %%xmm24, %%xmm24, %%xmm24\n\tvpxorq %%xmm25, %%xmm25, %%xmm25\n\t"
      "vpxorq %%xmm26, %%xmm26, %%xmm26\n\tvpxorq %%xmm27, %%xmm27, %%xmm27\n\t"
      "vpxorq %%xmm28, %%xmm28, %%xmm28\n\tvpxorq %%xmm29, %%xmm29, %%xmm29\n\t"
      "vpxorq %%xmm30, %%xmm30, %%xmm30\n\tvpxorq %%xmm31, %%xmm31, %%xmm31" ::
          : "memory");
}
// None of them is kept over a call (System V ABI).
void zero_vector_registers() {
  if (__builtin_cpu_supports("avx") != 0) zero_avx_registers();
  if (__builtin_cpu_supports("avx512vl") != 0) zero_avx512_registers();
}
#else
void zero_vector_registers() {}
#endif

}  // namespace

// Not inlined, so that its array lies where the frames of calls that are over have been.
__attribute__((noinline)) void wipe_traces() noexcept {
  std::array<unsigned char, std::size_t{16} * 1024> unused;
  wipe_memory(unused.data(), unused.size());
  // Copies of these sizes go through all the registers that a copy uses, whatever their width.
  for (const std::size_t size : {std::size_t{64}, std::size_t{128}, std::size_t{256}, std::size_t{512}})
    std::memcpy(unused.data() + kPage, unused.data(), size);
  wipe_memory(unused.data(), unused.size());
  zero_vector_registers();
}

void* guarded_allocate(std::size_t size) { return pool().take(size); }
void guarded_free(void* data, std::size_t size) noexcept { pool().give_back(data, size); }
GuardedMemoryUse guarded_memory_use() { return pool().use(); }

}  // namespace keyturn

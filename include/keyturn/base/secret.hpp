// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

namespace keyturn {

/// Bytes that must not be seen: a token, a password, a key.
///
/// Cannot be printed, formatted, compared with `==` or copied by accident (rule S13); is wiped when destroyed
/// or moved from. `reveal()` is the one way to read it, so that each use can be found by its name. The bytes
/// live in memory of their own that is left out of core dumps and, as far as the system allows, out of swap
/// (rule S12).
///
/// Thread safety: reading from several threads is safe; a write needs the caller's own exclusion.
/// Lifetime: the view from `reveal()` is valid until the object is changed, moved from or destroyed.
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::string_view bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// `size` bytes written by `fill(char* bytes)` in place, so that no other copy comes to exist.
  template <class Fill>
  [[nodiscard]] static Secret filled(std::size_t size, Fill&& fill) {
    Secret out;
    out.allocate(size);
    if (size != 0) std::forward<Fill>(fill)(out.bytes_);
    return out;
  }

  /// A second copy, made on purpose.
  [[nodiscard]] Secret copy() const { return Secret(reveal()); }
  [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_, size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Compares in a time that depends on the sizes only.
  [[nodiscard]] bool equals(std::string_view other) const noexcept;

  /// Forgets the bytes now.
  void wipe() noexcept;

 private:
  void allocate(std::size_t size);

  char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites memory in a way that the compiler may not drop (rule S12).
void wipe_memory(void* data, std::size_t size) noexcept;

}  // namespace keyturn

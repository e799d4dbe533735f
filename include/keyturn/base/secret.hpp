// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace keyturn {

/// Bytes that must not be seen: a token, a password, a key.
///
/// Cannot be printed, formatted, compared with `==` or copied by accident (rule S13); is wiped when destroyed
/// or moved from. `reveal()` is the one way to read it, so that each use can be found by its name.
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

  /// A second copy, made on purpose.
  [[nodiscard]] Secret copy() const { return Secret(reveal()); }
  [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Compares in a time that depends on the sizes only.
  [[nodiscard]] bool equals(std::string_view other) const noexcept;

  /// Forgets the bytes now.
  void wipe() noexcept;

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

/// Overwrites memory in a way that the compiler may not drop (rule S12).
void wipe_memory(void* data, std::size_t size) noexcept;

}  // namespace keyturn

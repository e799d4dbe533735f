// SPDX-License-Identifier: Apache-2.0
#include "core/base/object_id.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace keyturn {
namespace {

constexpr bool is_hex_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

bool is_object_id(std::string_view text) noexcept {
  return text.size() == 24 && std::all_of(text.begin(), text.end(), is_hex_digit);
}

std::string make_object_id(WallTime now, std::string_view eight_random_bytes) {
  const auto seconds =
      static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  std::array<unsigned char, 12> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<unsigned char>(seconds >> (24 - 8 * i));
  std::copy_n(eight_random_bytes.begin(), std::min<std::size_t>(8, eight_random_bytes.size()),
              bytes.begin() + 4);

  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(24);
  for (const unsigned char byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/common_passwords.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/crypto/crypto.hpp"

namespace keyturn::server {
namespace {

// tools/make_common_passwords.py tells the form.
constexpr std::string_view kPacked[] = {
#include "server/domain/accounts/common_passwords.inc"
};

std::vector<std::uint32_t> unpack() {
  std::string text;
  for (const std::string_view line : kPacked) text += line;
  const std::string bytes = crypto::base64url_decode(text).value_or("");
  std::vector<std::uint32_t> out;
  out.reserve(bytes.size() / 2);
  std::uint32_t last = 0;
  std::uint32_t step = 0;
  unsigned shift = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    step |= static_cast<std::uint32_t>(byte & 0x7FU) << shift;
    shift += 7;
    if ((byte & 0x80U) != 0) continue;
    last += step;
    out.push_back(last);
    step = 0;
    shift = 0;
  }
  return out;
}

bool is_listed(std::string_view password) {
  static const std::vector<std::uint32_t> kListed = unpack();
  const std::string digest = crypto::sha256(password);
  std::uint32_t head = 0;
  for (std::size_t i = 0; i < 4; ++i) head = (head << 8U) | static_cast<unsigned char>(digest[i]);
  return std::binary_search(kListed.begin(), kListed.end(), head);
}

/// "aaaaaa", "abcdef", "987654": each character as far from the one before.
bool is_run(std::string_view password) {
  if (password.size() < 2) return true;
  const int step = password[1] - password[0];
  if (step < -1 || step > 1) return false;
  for (std::size_t i = 1; i < password.size(); ++i) {
    if (password[i] - password[i - 1] != step) return false;
  }
  return true;
}

/// "aaaaaa", "121212", "123123", "hahahaha": up to four characters over and over.
bool is_repetition(std::string_view password) {
  constexpr std::size_t kLongestUnit = 4;
  for (std::size_t unit = 1; unit <= kLongestUnit && 2 * unit <= password.size(); ++unit) {
    if (password.size() % unit == 0 && password.substr(unit) == password.substr(0, password.size() - unit)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_common_password(std::string_view password) {
  std::string lower(password);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return is_run(lower) || is_repetition(lower) || is_listed(lower);
}

}  // namespace keyturn::server

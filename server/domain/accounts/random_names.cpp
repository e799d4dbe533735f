// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/random_names.hpp"

#include <string_view>

#include "core/base/object_id.hpp"
#include "core/crypto/crypto.hpp"

namespace keyturn::server {
namespace {

std::string random_of(std::string_view alphabet, std::size_t count) {
  // Bytes at or above the largest multiple of the alphabet's size would favour its first characters.
  const std::size_t usable = 256 - 256 % alphabet.size();
  std::string out;
  while (out.size() < count) {
    for (const char byte : crypto::random_bytes(2 * (count - out.size()))) {
      const auto value = static_cast<std::size_t>(static_cast<unsigned char>(byte));
      if (value < usable && out.size() < count) out += alphabet[value % alphabet.size()];
    }
  }
  return out;
}

}  // namespace

std::string new_object_id(WallTime now) { return make_object_id(now, crypto::random_bytes(8)); }

std::string random_lower_letters(std::size_t count) { return random_of("abcdefghijklmnopqrstuvwxyz", count); }

std::string random_letters_and_digits(std::size_t count) {
  return random_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count);
}

}  // namespace keyturn::server

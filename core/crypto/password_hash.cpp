// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/password_hash.hpp"

#include <sodium.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "core/crypto/sodium_library.hpp"

namespace keyturn::crypto {

std::string hash_password(std::string_view password, const PasswordCost& cost) {
  prepare_sodium();
  std::array<char, crypto_pwhash_STRBYTES> encoded{};
  if (crypto_pwhash_str_alg(encoded.data(), password.data(), password.size(), cost.passes, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    std::abort();
  }
  return encoded.data();
}

bool verify_password(std::string_view password, const std::string& encoded) {
  prepare_sodium();
  errno = 0;
  const bool same = crypto_pwhash_argon2id_str_verify(encoded.c_str(), password.data(), password.size()) == 0;
  if (!same && errno == ENOMEM) std::abort();  // a missing answer must not pass for "wrong password"
  return same;
}

bool needs_rehash(const std::string& encoded, const PasswordCost& cost) {
  prepare_sodium();
  return crypto_pwhash_argon2id_str_needs_rehash(encoded.c_str(), cost.passes, cost.memory_bytes) != 0;
}

}  // namespace keyturn::crypto

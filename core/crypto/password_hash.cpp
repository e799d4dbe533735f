// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/password_hash.hpp"

#include <sodium.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace keyturn::crypto {
namespace {

// Chooses the fastest code for this processor; harmless when repeated.
void prepare() {
  static const int ready = sodium_init();
  if (ready < 0) std::abort();
}

}  // namespace

std::string hash_password(std::string_view password, const PasswordCost& cost) {
  prepare();
  std::array<char, crypto_pwhash_STRBYTES> encoded{};
  if (crypto_pwhash_str_alg(encoded.data(), password.data(), password.size(), cost.passes, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    std::abort();
  }
  return encoded.data();
}

bool verify_password(std::string_view password, const std::string& encoded) {
  prepare();
  errno = 0;
  const bool same = crypto_pwhash_argon2id_str_verify(encoded.c_str(), password.data(), password.size()) == 0;
  if (!same && errno == ENOMEM) std::abort();  // a missing answer must not pass for "wrong password"
  return same;
}

bool needs_rehash(const std::string& encoded, const PasswordCost& cost) {
  prepare();
  return crypto_pwhash_argon2id_str_needs_rehash(encoded.c_str(), cost.passes, cost.memory_bytes) != 0;
}

}  // namespace keyturn::crypto

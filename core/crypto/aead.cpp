// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aead.hpp"

#include <sodium.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "core/crypto/crypto.hpp"
#include "core/crypto/sodium_library.hpp"

namespace keyturn::crypto {
namespace {

static_assert(kAeadKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kAeadNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kAeadTagSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string seal(const Secret& key, std::string_view plain, std::string_view associated) {
  prepare_sodium();
  if (key.size() != kAeadKeySize) std::abort();
  std::string out = random_bytes(kAeadNonceSize);
  out.resize(kAeadNonceSize + plain.size() + kAeadTagSize);
  auto* const begin = reinterpret_cast<unsigned char*>(out.data());
  crypto_aead_xchacha20poly1305_ietf_encrypt(begin + kAeadNonceSize, nullptr, bytes(plain), plain.size(),
                                             bytes(associated), associated.size(), nullptr, begin,
                                             bytes(key.reveal()));
  return out;
}

std::optional<Secret> unseal(const Secret& key, std::string_view sealed, std::string_view associated) {
  prepare_sodium();
  if (key.size() != kAeadKeySize || sealed.size() < kAeadNonceSize + kAeadTagSize) return std::nullopt;
  const std::string_view text = sealed.substr(kAeadNonceSize);
  // One byte at least, so that there is a place to write to.
  const std::size_t size = text.size() - kAeadTagSize;
  unsigned char nowhere = 0;
  bool right = false;
  const auto open_into = [&](unsigned char* place) {
    right = crypto_aead_xchacha20poly1305_ietf_decrypt(place, nullptr, nullptr, bytes(text), text.size(),
                                                       bytes(associated), associated.size(), bytes(sealed),
                                                       bytes(key.reveal())) == 0;
  };
  Secret plain =
      Secret::filled(size, [&](char* place) { open_into(reinterpret_cast<unsigned char*>(place)); });
  if (size == 0) open_into(&nowhere);
  if (!right) return std::nullopt;
  return plain;
}

Secret derive_key(const Secret& key, std::string_view purpose) {
  auto made = hmac_sha256(key.reveal(), purpose);
  Secret out =
      Secret::filled(made.size(), [&](char* place) { std::memcpy(place, made.data(), made.size()); });
  wipe_memory(made.data(), made.size());
  return out;
}

Secret random_secret(std::size_t count) {
  return Secret::filled(count, [count](char* place) { fill_random(place, count); });
}

}  // namespace keyturn::crypto

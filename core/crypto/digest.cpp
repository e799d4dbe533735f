// SPDX-License-Identifier: Apache-2.0
// The digest calls of OpenSSL 3 that are marked as deprecated are used on purpose: their state lives on the
// stack, so a MAC costs no allocation and no look-up of an algorithm. HMAC is on the path of every refresh.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {
namespace {

constexpr std::size_t kDigestSize = SHA256_DIGEST_LENGTH;
constexpr std::size_t kBlockSize = SHA256_CBLOCK;

using Digest = std::array<unsigned char, kDigestSize>;
using Block = std::array<unsigned char, kBlockSize>;

Digest digest_of(std::string_view first, std::string_view second = {}) {
  SHA256_CTX state;
  Digest digest{};
  SHA256_Init(&state);
  SHA256_Update(&state, first.data(), first.size());
  SHA256_Update(&state, second.data(), second.size());
  SHA256_Final(digest.data(), &state);
  OPENSSL_cleanse(&state, sizeof(state));
  return digest;
}

template <class Bytes>
std::string_view view(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Digest padded_digest(const Block& key, unsigned char pad, std::string_view data) {
  Block padded{};
  std::transform(key.begin(), key.end(), padded.begin(),
                 [pad](unsigned char byte) { return static_cast<unsigned char>(byte ^ pad); });
  const Digest digest = digest_of(view(padded), data);
  OPENSSL_cleanse(padded.data(), padded.size());
  return digest;
}

}  // namespace

std::string sha256(std::string_view data) { return std::string(view(digest_of(data))); }

std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view data) {
  Block block{};
  if (key.size() > kBlockSize) {
    const Digest hashed = digest_of(key);
    std::copy(hashed.begin(), hashed.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const Digest inner = padded_digest(block, 0x36, data);
  const Digest mac = padded_digest(block, 0x5c, view(inner));
  OPENSSL_cleanse(block.data(), block.size());
  return mac;
}

}  // namespace keyturn::crypto

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/secret.hpp>

namespace keyturn::crypto {

inline constexpr std::size_t kAeadKeySize = 32;
/// What sealing adds: a nonce in front, a tag behind.
inline constexpr std::size_t kAeadNonceSize = 24;
inline constexpr std::size_t kAeadTagSize = 16;

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a fresh random nonce: nonce, then ciphertext and
/// tag. `associated` is not kept but must be the same again to open. The nonce is large enough to be drawn at
/// random for every message of a key.
[[nodiscard]] std::string seal(const Secret& key, std::string_view plain, std::string_view associated);

/// The bytes that were sealed; nothing when one bit of key, text or `associated` differs.
[[nodiscard]] std::optional<Secret> unseal(const Secret& key, std::string_view sealed,
                                           std::string_view associated);

/// A key for one purpose from a longer one: HMAC-SHA-256 of the purpose's name (NIST SP 800-108 in its
/// simplest form). 32 bytes.
[[nodiscard]] Secret derive_key(const Secret& key, std::string_view purpose);

/// `count` random bytes that never were anywhere else.
[[nodiscard]] Secret random_secret(std::size_t count);

}  // namespace keyturn::crypto

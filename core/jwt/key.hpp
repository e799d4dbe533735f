// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "core/json/value.hpp"

namespace keyturn::jwt {

/// The signature algorithms of the allow-list (RFC 7518 section 3, RFC 8037). There is no `none` and no way
/// to add it.
enum class Algorithm { hs256, rs256, es256, eddsa };

/// The `alg` name ("ES256").
[[nodiscard]] std::string_view to_string(Algorithm algorithm) noexcept;
/// The algorithm of that exact name; an error for anything that is not on the allow-list.
[[nodiscard]] Result<Algorithm> algorithm_from(std::string_view name);

/// One key with one algorithm (rule V5): the algorithm is a property of the key, never of the token.
///
/// Thread safety: immutable; may be used from any number of threads. Copies share the same key material.
/// Errors: the makers answer `BadRequest`: HMAC keys below 32 bytes, RSA below 2048 bits, another curve, a
/// wrong `kty`, a JWK without `alg`, with a private part, or whose `use`/`key_ops` forbids verifying (rule
/// V9).
class Key {
 public:
  [[nodiscard]] static Result<Key> hmac(std::string id, std::string_view secret);
  /// A PEM public key (SubjectPublicKeyInfo), or a PEM private key for one that also signs.
  [[nodiscard]] static Result<Key> from_pem(std::string id, Algorithm algorithm, std::string_view pem);
  /// A JWK (RFC 7517), public or symmetric.
  [[nodiscard]] static Result<Key> from_jwk(const json::Value& jwk);
  /// A new P-256 pair for ES256.
  [[nodiscard]] static Key generate_es256(std::string id);
  /// ES256 pairs that sign seldom: the private half stays in guarded memory between two signatures. Only the
  /// PEM that `private_pem` writes is read.
  [[nodiscard]] static Result<Key> guarded_es256_from_pem(std::string_view pem);
  [[nodiscard]] static Key generate_guarded_es256();

  [[nodiscard]] const std::string& id() const noexcept;
  [[nodiscard]] Algorithm algorithm() const noexcept;
  [[nodiscard]] bool can_sign() const noexcept;
  /// The encoded header of the tokens that this key signs: `alg`, `kid` unless the id is empty, `typ`
  /// ("JWT").
  [[nodiscard]] const std::string& encoded_header() const noexcept;
  /// The PEM private key (PKCS #8) of a pair; empty for another kind of key.
  [[nodiscard]] Secret private_pem() const;
  /// The public half of an ES256 key as a JWK (RFC 7517): `crv`, `kty`, `x`, `y`, in the order of RFC 7638.
  /// Empty for another kind of key.
  [[nodiscard]] json::Object public_jwk() const;

  /// The raw signature of the algorithm (ES256: 64 bytes R || S, RFC 7518 section 3.4). Needs `can_sign()`.
  [[nodiscard]] std::string sign(std::string_view data) const;
  [[nodiscard]] bool verify(std::string_view data, std::string_view signature) const;

  struct Material;

 private:
  explicit Key(std::shared_ptr<const Material> material);
  std::shared_ptr<const Material> material_;
};

}  // namespace keyturn::jwt

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/secret.hpp>

namespace keyturn::crypto {

/// The signatures that a `SignatureKey` makes and checks; the scheme belongs to the key.
enum class SignatureScheme {
  ecdsa_p256_sha256,  ///< FIPS 186-5 on P-256; signatures are R || S, 64 bytes (RFC 7518 section 3.4).
  rsa_pkcs1_sha256,   ///< RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2), 2048 to 8192 bits.
  ed25519,            ///< RFC 8032, 64 bytes.
};

/// The coordinates of a point of P-256, 32 bytes each.
struct P256Point {
  std::string x;
  std::string y;
};

/// A public key or a key pair.
///
/// The makers refuse (answer nothing): another kind of key or curve than the scheme's, a point that is not on
/// the curve, explicit curve parameters, RSA outside 2048 to 8192 bits, an RSA exponent that is even, 1 or
/// above 64 bits, an RSA modulus with the mark of the ROCA fault (CVE-2017-15361), an encrypted PEM.
///
/// Thread safety: immutable; may be used from any number of threads. Copies share the same key material.
class SignatureKey {
 public:
  /// A PEM public key (SubjectPublicKeyInfo), or a PEM private key for a pair.
  [[nodiscard]] static std::optional<SignatureKey> from_pem(SignatureScheme scheme, std::string_view pem);
  /// The coordinates of a P-256 point, 32 bytes each.
  [[nodiscard]] static std::optional<SignatureKey> from_p256_point(std::string_view x, std::string_view y);
  /// Modulus and exponent, most significant byte first.
  [[nodiscard]] static std::optional<SignatureKey> from_rsa(std::string_view modulus,
                                                            std::string_view exponent);
  /// The 32 bytes of RFC 8032.
  [[nodiscard]] static std::optional<SignatureKey> from_ed25519(std::string_view point);
  /// A new pair for `ecdsa_p256_sha256`.
  [[nodiscard]] static SignatureKey generate_p256();
  /// Pairs for `ecdsa_p256_sha256` whose private half stays in guarded memory between two signatures, which
  /// take longer for it. Only the PEM that `private_pem` writes is read.
  [[nodiscard]] static std::optional<SignatureKey> guarded_p256_from_pem(std::string_view pem);
  [[nodiscard]] static SignatureKey generate_guarded_p256();

  [[nodiscard]] SignatureScheme scheme() const noexcept;
  [[nodiscard]] bool can_sign() const noexcept;
  /// The PEM private key (PKCS #8) of a pair; empty for a public key.
  [[nodiscard]] Secret private_pem() const;
  /// The public point of a P-256 key; nothing for another scheme.
  [[nodiscard]] std::optional<P256Point> p256_point() const;

  /// Needs `can_sign()`; ends the program when OpenSSL refuses, which only a broken key or no randomness can
  /// cause.
  [[nodiscard]] std::string sign(std::string_view data) const;
  /// False for anything but a signature of exactly the scheme's form by this key over `data`.
  [[nodiscard]] bool verify(std::string_view data, std::string_view signature) const;

  struct Material;

 private:
  static std::optional<SignatureKey> guarded(class GuardedP256 pair);
  explicit SignatureKey(std::shared_ptr<const Material> material);
  std::shared_ptr<const Material> material_;
};

}  // namespace keyturn::crypto

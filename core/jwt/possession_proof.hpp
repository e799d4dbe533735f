// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "core/jwt/key.hpp"

// Proofs that a sender holds a key (DPoP, RFC 9449). Both halves use these: the SDK makes them, the server
// checks them. Rules about nonces, times and replays are the server's
// (server/domain/sessions/possession.hpp).
namespace keyturn::jwt {

/// The claims of a proof (RFC 9449 section 4.2).
struct PossessionClaims {
  std::string method;  ///< `htm`.
  std::string url;     ///< `htu`, without query and fragment.
  std::string id;      ///< `jti`: unique to the proof.
  WallTime issued_at;  ///< `iat`.
  std::string nonce;   ///< What the server gave; empty: none.
};

struct CheckedProof {
  PossessionClaims claims;
  std::string thumbprint;  ///< Of the key that signed (RFC 7638, SHA-256, base64url): the claim `cnf.jkt`.
};

/// Largest proof that is looked at; ours have about 500 bytes.
inline constexpr std::size_t kMaxProofBytes = 2'048;

/// The thumbprint of an ES256 key; empty for another kind of key.
[[nodiscard]] std::string thumbprint_of(const Key& key);

/// Needs an ES256 key that can sign.
[[nodiscard]] std::string mint_proof(const Key& key, const PossessionClaims& claims);

/// Form and signature (RFC 9449 section 4.3, points 2 to 7): type `dpop+jwt`, `alg` ES256, the key in `jwk`
/// without a private part, a signature by that key, and the claims. Errors: `InvalidDpopProof`, one text for
/// every cause.
[[nodiscard]] Result<CheckedProof> check_proof(std::string_view compact);

}  // namespace keyturn::jwt

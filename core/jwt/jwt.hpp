// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "core/jwt/key.hpp"

namespace keyturn::jwt {

/// The parts of a compact JWS whose signature has been checked (RFC 7515 section 3.1).
struct VerifiedJws {
  json::Object header;
  std::string payload;  ///< The bytes that were signed; may be empty at this layer.
};

/// Which alphabets the parts may use. Our own tokens are strict (rule V7); tokens of other issuers were seen
/// with the standard alphabet and padding (client-api.md 7.5).
enum class Encoding { strict, lenient };

/// Chooses the key for a token: by the exact `kid` of its header, which is empty when the header has none.
/// Null: unknown. It is told nothing else of the token, so no header member can steer the choice (rule V6).
using KeyLookup = std::function<const Key*(std::string_view key_id)>;

/// Checks form and signature of a compact JWS. Refuses before any cryptography: characters outside the
/// alphabet, other than three parts, duplicate member names, `crit`, `b64`, `zip`, `jku`, `x5u`, `x5c`,
/// `jwk`, an `alg` that is not the chosen key's, above `kMaxTokenBytes`. Errors: `InvalidSession` with the
/// text "unauthorized", the same for every cause.
[[nodiscard]] Result<VerifiedJws> verify_jws(std::string_view compact, const KeyLookup& lookup,
                                             Encoding encoding = Encoding::strict);
/// The same with one key, whatever `kid` the header has.
[[nodiscard]] Result<VerifiedJws> verify_jws(std::string_view compact, const Key& key,
                                             Encoding encoding = Encoding::strict);

inline constexpr std::size_t kMaxTokenBytes = std::size_t{16} * 1024;

/// Times of a token as rule V10 wants them: integers of 64 bits in a sane range.
struct Times {
  WallTime issued_at;
  WallTime expires_at;
  [[nodiscard]] std::chrono::seconds lifetime() const {
    return std::chrono::duration_cast<std::chrono::seconds>(expires_at - issued_at);
  }
};

/// Reads `iat` and `exp`; both mandatory. Nothing when one is missing, no integer, or out of range (0 to
/// 2^40), or when `exp` is before `iat`.
[[nodiscard]] std::optional<Times> read_times(const json::Object& claims);

/// What the clock says of a token: `nbf` and `iat` up to 10 s ahead are accepted, more than 60 s ahead
/// refused (rule V10; between the two, accepted as well: the rule leaves it open and refusing a live session
/// is the worse mistake).
enum class Validity { valid, expired, not_yet };
[[nodiscard]] Validity validity_at(const Times& times, std::optional<WallTime> not_before, WallTime now);

/// A compact JWS with header members `alg`, `kid`, `typ` ("JWT") in this order (protocol decisions:
/// "signature"). `key.can_sign()` must hold.
[[nodiscard]] std::string mint(const Key& key, std::string_view payload_json);

/// The claims of a token whose signature nobody checked: for scheduling on the device only (rule S14).
/// Errors: `BadToken`.
[[nodiscard]] Result<json::Object> read_unverified(std::string_view compact);

}  // namespace keyturn::jwt

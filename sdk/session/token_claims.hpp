// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>

namespace keyturn::sdk {

/// What the SDK reads from an access token, for scheduling and for `custom_data` only (rule S14). Every part
/// may be absent: a token that cannot be read is opaque, not wrong. Times are never negative.
struct TokenClaims {
  std::optional<std::chrono::seconds> lifetime;  ///< `exp - iat`.
  std::optional<WallTime> issued_at;
  std::string subject;      ///< `sub`, or empty.
  std::string custom_data;  ///< `user_data` as a JSON object, or empty.
};
[[nodiscard]] TokenClaims read_claims(std::string_view token);

/// Thumbprint of the key that a token's sender must prove to hold (`cnf.jkt`, RFC 9449 section 6.1). Empty:
/// none.
[[nodiscard]] std::string key_bound_to(std::string_view token);
[[nodiscard]] inline bool is_bound_to_key(std::string_view token) { return !key_bound_to(token).empty(); }

/// Three non-empty parts of the base64url alphabet (client-api.md 4.4).
[[nodiscard]] bool looks_like_jwt(std::string_view token) noexcept;

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/json/value.hpp"
#include "core/jwt/jwt.hpp"

// The form of a compact JWS (RFC 7515 section 7.1), for the files of this folder.
namespace keyturn::jwt {

/// Lifetime: views of the compact text.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  ///< Header and payload with the dot between them.
};

/// Nothing when the text is too long or has other than three parts, or no header or signature.
[[nodiscard]] std::optional<Parts> split(std::string_view compact);
[[nodiscard]] std::optional<std::string> decode(std::string_view part, Encoding encoding);
/// A JSON object within the limits of a token.
[[nodiscard]] std::optional<json::Object> object_in(std::string_view text);
/// A time in seconds from 0 to 2^40.
[[nodiscard]] std::optional<WallTime> time_at(const json::Object& claims, std::string_view name);

}  // namespace keyturn::jwt

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

namespace keyturn::server {

/// Whether an id that somebody else chose (a custom function, the issuer of a JWT) may name an identity: 1 to
/// 256 bytes without control characters. It is carried in every refresh token, twice.
[[nodiscard]] inline bool is_identity_id(std::string_view id) {
  return !id.empty() && id.size() <= 256 &&
         std::none_of(id.begin(), id.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

}  // namespace keyturn::server

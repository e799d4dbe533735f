// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "server/domain/sessions/token_issuer.hpp"

namespace keyturn::server {

/// Reads a payload that has exactly the form in which `mint_*_token` write it, several times as fast as a
/// JSON parser: every refresh reads one. Nothing for any other text, however valid; the caller then parses
/// it. `type` is the purpose of the key that signed it. Access tokens with `user_data` are not read here.
[[nodiscard]] std::optional<TokenClaims> read_own_claims(std::string_view payload, TokenType type);

}  // namespace keyturn::server

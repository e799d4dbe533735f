// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "core/json/value.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

/// What a token says, once its signature has been checked (client-api.md 4.1, 4.2).
struct TokenClaims {
  TokenType type = TokenType::access;
  std::string session_id;
  std::string user_id;
  std::string domain_id;
  std::string device_id;
  WallTime issued_at;
  WallTime expires_at;
  /// `cnf.jkt` (RFC 9449 section 6): the key that the session is bound to; empty for a bearer session.
  std::string key_thumbprint;
  json::Object user_data;
};

/// Mints and reads the tokens of an app. No state of its own: keys and lifetimes come from the `AppView`.
///
/// Payload members in alphabetical order, header `alg`, `kid`, `typ` (client-api.md 4, decisions.md
/// "signature").
/// `user_data` is the claim as JSON text; empty: the token has none.
/// A thumbprint that is not empty binds the token to that key (RFC 9449 section 6.1).
[[nodiscard]] std::string mint_access_token(const AppView& app, const Session& session, WallTime now,
                                            std::string_view user_data = {},
                                            std::string_view key_thumbprint = {});
/// An access token of the session that a refresh token names.
[[nodiscard]] std::string mint_access_token(const AppView& app, const TokenClaims& refresh_token,
                                            WallTime now, std::string_view user_data = {});
[[nodiscard]] std::string mint_refresh_token(const AppView& app, const Session& session,
                                             std::string_view key_thumbprint = {});

/// The app whose key a token names, without checking anything else of it: nothing may be decided by it but
/// where the work is done. Null when no app has such a key.
[[nodiscard]] std::shared_ptr<const AppView> app_named_by_token(const AppDirectory& directory,
                                                                std::string_view compact);

/// Finds the key by the token's `kid` in the directory and checks form, signature, and that `baas_domain_id`
/// and `typ` are the key's own app and purpose. Neither algorithm nor purpose is ever the token's choice
/// (rules V5, V8; row B-43). The caller judges the times and the session row. Errors: `InvalidSession` with
/// the text "unauthorized" for a token that is not ours in every respect, whatever the cause; the caller
/// learns nothing more.
struct CheckedToken {
  std::shared_ptr<const AppView> app;
  TokenClaims claims;
};
[[nodiscard]] Result<CheckedToken> check_token(const AppDirectory& directory, std::string_view compact);

}  // namespace keyturn::server

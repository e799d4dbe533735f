// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/domain/ports.hpp"

// What the claims of another issuer's token are worth, once its signature has been checked
// (client-api.md 7.5). Pure.
namespace keyturn::server::identity {

/// The audiences that a provider wants: a list, one text, or the client app id when nothing is configured.
[[nodiscard]] std::vector<std::string> wanted_audiences(const AuthProvider& provider, const App& app);

/// Whether `aud` (a text or a list of texts) holds all of `wanted`, or any of them.
[[nodiscard]] bool has_audience(const json::Object& claims, const std::vector<std::string>& wanted,
                                bool any_is_enough);

/// The names in a dotted path; `\.` is a dot within a name.
[[nodiscard]] std::vector<std::string> path_parts(std::string_view path);

/// The value at a path through nested objects; null when there is none or it is JSON `null`.
[[nodiscard]] const json::Value* value_at(const json::Object& claims, std::string_view path);

/// Who the claims speak of. Nothing when `exp` or `sub` is missing or wrong, the token is expired or from the
/// future (`nbf` and `iat` up to 60 s ahead pass, rule V10), it is for another audience, or it lacks a
/// required metadata field.
[[nodiscard]] std::optional<ProvenIdentity> read_claims(const json::Object& claims, const App& app,
                                                        const AuthProvider& provider, WallTime now);

}  // namespace keyturn::server::identity

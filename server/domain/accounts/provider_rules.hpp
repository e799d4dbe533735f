// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "server/domain/types.hpp"

// What an administrator may say of an auth provider (admin-api.md 5). Pure.
namespace keyturn::server {

/// The wire names of all providers that may be configured; some have no implementation and refuse every
/// log-in.
[[nodiscard]] bool is_provider_type(std::string_view type) noexcept;

/// Puts the members of an admin body into the provider: `config` is merged key by key, others are replaced;
/// absent members stay. Errors: 400 `BadRequest` naming a member of the wrong kind.
[[nodiscard]] Result<void> merge_provider(AuthProvider& provider, const json::Object& body);

/// Whether the settings as a whole make sense for the provider's type. Errors: 400 `BadRequest`.
[[nodiscard]] Result<void> check_provider_settings(const AuthProvider& provider);

/// The names of the secrets that hold the signing keys of a `custom-token` provider.
[[nodiscard]] std::vector<std::string> signing_key_names(const AuthProvider& provider);

/// Characters of an HS256 signing key (client-api.md 7.5).
inline constexpr std::size_t kLeastHmacSecret = 32;
inline constexpr std::size_t kMostHmacSecret = 512;

}  // namespace keyturn::server

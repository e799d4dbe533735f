// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <keyturn/base/result.hpp>

#include "server/domain/types.hpp"

// What a new account of `local-userpass` may be called and have for a password (client-api.md 9). Pure.
namespace keyturn::server {

/// 6 to 128 characters, counted as Unicode code points, or as many as the settings say, and none of those
/// that are tried first: common ones, and the account's own address. Errors: 400 `BadRequest` with the
/// documented text, which never holds the password.
[[nodiscard]] Result<void> check_new_password(std::string_view password, const PasswordSettings& settings,
                                              std::string_view email = {});
/// Not empty, at most 128 code points, no control characters (an address goes into a mail header).
/// Errors: 400 `BadRequest` "email invalid".
[[nodiscard]] Result<void> check_new_email(std::string_view email);

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>

namespace keyturn::server::api {

/// The token of `Authorization: Bearer <token>`, unchecked (client-api.md 1.3, decisions.md "missing
/// bearer"). `malformed_text` is what a header of another form is told; neither refusal has an `error_code`,
/// so that no client takes it for the end of a session.
[[nodiscard]] Result<std::string_view> read_bearer(const HttpHeaders& headers,
                                                   std::string_view malformed_text);

inline constexpr std::string_view kWantBearer = "expected Authorization header with JWT (Bearer schema)";

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/api/router.hpp"

namespace keyturn::server::api {

/// The most JSON values that a body may have: beyond any use, and bounds the memory that reading it takes.
inline constexpr std::size_t kMostValues = 1'000'000;

/// The most bytes that a body of that kind may have.
[[nodiscard]] std::size_t body_limit(Body kind, Surface surface) noexcept;

/// Reads a body as its kind says. Null for `ignored` and `raw`. Numbers that an admin client wrote as EJSON
/// ({"$numberLong": "1"}) become plain ones (admin-api.md 0). Errors: `BadRequest`.
[[nodiscard]] Result<json::Value> read_body(Body kind, std::string_view text);

}  // namespace keyturn::server::api

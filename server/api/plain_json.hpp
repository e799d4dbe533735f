// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/ejson.hpp>

#include "core/json/value.hpp"

namespace keyturn::server::api {

/// A value as clients without EJSON read it (data-api.md 3): ids and decimals as text, dates as ISO 8601,
/// numbers plain. What no JSON number or
/// ISO date can say becomes text or a number of milliseconds. Pure.
[[nodiscard]] json::Value plain_json(const Ejson& value);

}  // namespace keyturn::server::api

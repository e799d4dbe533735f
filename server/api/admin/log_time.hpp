// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <keyturn/base/clock.hpp>

namespace keyturn::server::api {

/// A time in a query of the log: seconds since 1970, an Internet date-time (RFC 3339), one without seconds
/// ("2020-01-01T00:00Z"), or a day ("2020-01-01"), which stands for its first instant in UTC. Nothing for
/// another text. Pure.
[[nodiscard]] std::optional<WallTime> read_log_time(std::string_view text);

}  // namespace keyturn::server::api

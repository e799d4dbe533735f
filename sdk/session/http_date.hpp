// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>

namespace keyturn::sdk {

/// A date as servers must send it, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). Other forms:
/// nothing.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

/// The server's time from the `Date` line.
[[nodiscard]] std::optional<WallTime> server_time_of(const HttpHeaders& headers);

/// `Retry-After` in seconds or as a date, which counts from the answer's own `Date` (RFC 9110
/// section 10.2.3). Never negative; at most an hour, so that no server can suspend a client for good.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after_of(const HttpHeaders& headers);

}  // namespace keyturn::sdk

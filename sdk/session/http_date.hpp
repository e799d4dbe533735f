// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>

namespace keyturn::sdk {

/// No server can suspend a client for longer.
inline constexpr std::chrono::seconds kLongestRetryAfter = std::chrono::hours(24);

/// A date in one of the three forms that a recipient must understand (RFC 9110 section 5.6.7): "Sun, 06 Nov
/// 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". A year of two digits is
/// of 1970 to 2069. Other forms: nothing.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

/// The server's time from the `Date` line.
[[nodiscard]] std::optional<WallTime> server_time_of(const HttpHeaders& headers);

/// `Retry-After` in seconds or as a date, which counts from the answer's own `Date` or else from `now`, the
/// best that is known of the server's time (RFC 9110 section 10.2.3). Never negative; at most
/// `kLongestRetryAfter`.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after_of(const HttpHeaders& headers,
                                                                 std::optional<WallTime> now = {});

}  // namespace keyturn::sdk

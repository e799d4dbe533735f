// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn::ejson {

/// Milliseconds since 1970 of an Internet date-time (RFC 3339), years 0000 to 9999, up to nine decimals of a
/// second (cut to milliseconds), zone `Z`, `+hh:mm` or `+hhmm`. Nothing for another text.
[[nodiscard]] std::optional<std::int64_t> parse_iso_date(std::string_view text);

/// "2024-05-06T07:08:09Z", with three decimals when there are milliseconds. For years 0000 to 9999.
[[nodiscard]] std::string format_iso_date(std::int64_t milliseconds);

}  // namespace keyturn::ejson

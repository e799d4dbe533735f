// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace keyturn::sdk {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  if (text.empty() || text.front() == '-') return std::nullopt;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The parts of a date, wherever its form has them.
struct Parts {
  std::string_view day;
  std::string_view month;
  std::string_view year;
  std::string_view time;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<Parts> preferred_form(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" || text[7] != ' ' ||
      text[11] != ' ' || text[16] != ' ')
    return std::nullopt;
  return Parts{text.substr(5, 2), text.substr(8, 3), text.substr(12, 4), text.substr(17, 8)};
}

/// "Sunday, 06-Nov-94 08:49:37 GMT", of RFC 850.
std::optional<Parts> form_with_short_year(std::string_view text) {
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos || comma < 6 || comma > 9) return std::nullopt;
  text.remove_prefix(comma + 2);
  if (text.size() != 22 || text.substr(18) != " GMT" || text[2] != '-' || text[6] != '-' || text[9] != ' ')
    return std::nullopt;
  return Parts{text.substr(0, 2), text.substr(3, 3), text.substr(7, 2), text.substr(10, 8)};
}

/// "Sun Nov  6 08:49:37 1994", of asctime().
std::optional<Parts> form_of_asctime(std::string_view text) {
  if (text.size() != 24 || text[3] != ' ' || text[7] != ' ' || text[10] != ' ' || text[19] != ' ')
    return std::nullopt;
  return Parts{text.substr(text[8] == ' ' ? 9 : 8, text[8] == ' ' ? 1 : 2), text.substr(4, 3),
               text.substr(20, 4), text.substr(11, 8)};
}

std::optional<WallTime> to_time(const Parts& parts) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (parts.time[2] != ':' || parts.time[5] != ':') return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), parts.month);
  const auto day = digits(parts.day);
  auto year = digits(parts.year);
  const auto hour = digits(parts.time.substr(0, 2));
  const auto minute = digits(parts.time.substr(3, 2));
  const auto second = digits(parts.time.substr(6, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (parts.year.size() == 2) *year += *year < 70 ? 2000 : 1900;
  const std::chrono::year_month_day date(
      std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  for (const auto form : {preferred_form, form_with_short_year, form_of_asctime}) {
    if (const auto parts = form(text)) return to_time(*parts);
  }
  return std::nullopt;
}

std::optional<WallTime> server_time_of(const HttpHeaders& headers) {
  const auto line = find_header(headers, "date");
  return line ? parse_http_date(*line) : std::nullopt;
}

std::optional<std::chrono::seconds> retry_after_of(const HttpHeaders& headers, std::optional<WallTime> now) {
  const auto line = find_header(headers, "retry-after");
  if (!line || line->empty()) return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::all_of(line->begin(), line->end(), is_digit)) {
    // Nine digits and more are beyond the bound whatever they say.
    if (line->size() > 8) return kLongestRetryAfter;
    return std::min(kLongestRetryAfter, std::chrono::seconds(*digits(*line)));
  }
  const auto until = parse_http_date(*line);
  const auto told = server_time_of(headers);
  const auto from = told ? told : now;
  if (!until || !from) return std::nullopt;
  return std::clamp(std::chrono::ceil<std::chrono::seconds>(*until - *from), std::chrono::seconds(0),
                    kLongestRetryAfter);
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace keyturn::sdk {
namespace {

constexpr std::chrono::seconds kLongestWait{3600};

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" || text[7] != ' ' ||
      text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = digits(text.substr(5, 2));
  const auto year = digits(text.substr(12, 4));
  const auto hour = digits(text.substr(17, 2));
  const auto minute = digits(text.substr(20, 2));
  const auto second = digits(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::optional<WallTime> server_time_of(const HttpHeaders& headers) {
  const auto line = find_header(headers, "date");
  return line ? parse_http_date(*line) : std::nullopt;
}

std::optional<std::chrono::seconds> retry_after_of(const HttpHeaders& headers) {
  const auto line = find_header(headers, "retry-after");
  if (!line || line->empty()) return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::all_of(line->begin(), line->end(), is_digit)) {
    // Nine digits and more are beyond the bound whatever they say.
    if (line->size() > 8) return kLongestWait;
    return std::min(kLongestWait, std::chrono::seconds(*digits(*line)));
  }
  const auto until = parse_http_date(*line);
  const auto from = server_time_of(headers);
  if (!until || !from) return std::nullopt;
  return std::clamp(std::chrono::duration_cast<std::chrono::seconds>(*until - *from), std::chrono::seconds(0),
                    kLongestWait);
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "core/ejson/iso_date.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace keyturn::ejson {
namespace {

// Takes `digits` decimal digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Minutes east of UTC.
std::optional<int> take_zone(std::string_view& text) {
  if (take(text, 'Z')) return 0;
  const int sign = take(text, '-') ? -1 : (take(text, '+') ? 1 : 0);
  const auto hours = take_number(text, 2);
  if (hours) take(text, ':');
  const auto minutes = take_number(text, 2);
  if (sign == 0 || !hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::optional<std::int64_t> parse_iso_date(std::string_view text) {
  const auto year = take_number(text, 4);
  const bool dash1 = take(text, '-');
  const auto month = take_number(text, 2);
  const bool dash2 = take(text, '-');
  const auto day = take_number(text, 2);
  const bool separator = take(text, 'T');
  const auto hour = take_number(text, 2);
  const bool colon1 = take(text, ':');
  const auto minute = take_number(text, 2);
  const bool colon2 = take(text, ':');
  const auto second = take_number(text, 2);
  if (!year || !dash1 || !month || !dash2 || !day || !separator || !hour || !colon1 || !minute || !colon2 ||
      !second) {
    return std::nullopt;
  }
  std::int64_t milliseconds = 0;
  if (take(text, '.')) {
    int decimals = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++decimals) {
      if (decimals < 3) milliseconds = milliseconds * 10 + (text.front() - '0');
    }
    if (decimals == 0 || decimals > 9) return std::nullopt;
    for (; decimals < 3; ++decimals) milliseconds *= 10;
  }
  const auto zone = take_zone(text);
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!zone || !text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + *hour) * 60 + *minute - *zone;
  return (minutes * 60 + *second) * 1000 + milliseconds;
}

std::string format_iso_date(std::int64_t milliseconds) {
  const std::chrono::sys_time<std::chrono::milliseconds> point{std::chrono::milliseconds{milliseconds}};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{point - day};
  std::array<char, 40> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()));
  std::string written(text.data(), static_cast<std::size_t>(length));
  if (const auto rest = time.subseconds().count(); rest != 0) {
    std::array<char, 8> decimals{};
    std::snprintf(decimals.data(), decimals.size(), ".%03d", static_cast<int>(rest));
    written += decimals.data();
  }
  return written + "Z";
}

}  // namespace keyturn::ejson

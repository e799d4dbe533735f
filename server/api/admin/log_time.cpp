// SPDX-License-Identifier: Apache-2.0
#include "server/api/admin/log_time.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

#include "core/ejson/iso_date.hpp"

namespace keyturn::server::api {
namespace {

/// The largest year that an ISO date can name bounds both forms.
constexpr std::int64_t kMostSeconds = 253'402'300'799;

std::optional<std::int64_t> seconds_in(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value >= 0 && value <= kMostSeconds ? std::optional(value) : std::nullopt;
}

/// With what a shorter form leaves out; texts of another form stay as they are.
std::string completed(std::string_view text) {
  constexpr std::size_t kDay = std::string_view("2020-01-01").size();
  constexpr std::size_t kMinute = std::string_view("2020-01-01T00:00").size();
  std::string out(text);
  if (text.size() == kDay) return out + "T00:00:00Z";
  if (text.size() > kMinute && text[kMinute] != ':') out.insert(kMinute, ":00");
  return out;
}

}  // namespace

std::optional<WallTime> read_log_time(std::string_view text) {
  if (const auto seconds = seconds_in(text)) return WallTime(std::chrono::seconds(*seconds));
  const auto date = ejson::parse_iso_date(completed(text));
  if (!date) return std::nullopt;
  return WallTime(std::chrono::milliseconds(*date));
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <keyturn/base/error.hpp>

#include "core/base/error_codes.hpp"

namespace keyturn {
namespace base {
namespace {

constexpr bool table_is_in_enum_order() {
  for (std::size_t i = 0; i < kErrorCodes.size(); ++i) {
    if (static_cast<std::size_t>(kErrorCodes[i].code) != i) return false;
  }
  return true;
}
static_assert(table_is_in_enum_order(), "row_of() indexes the table by the enumerator's value");

constexpr auto sorted_by_name() {
  std::array<unsigned char, kErrorCodes.size()> order{};
  static_assert(kErrorCodes.size() <= 256);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<unsigned char>(i);
  std::sort(order.begin(), order.end(),
            [](unsigned char a, unsigned char b) { return kErrorCodes[a].name < kErrorCodes[b].name; });
  return order;
}
constexpr auto kByName = sorted_by_name();

}  // namespace

const ErrorCodeRow& row_of(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return kErrorCodes[index < kErrorCodes.size() ? index
                                                : static_cast<std::size_t>(ErrorCode::AppUnknownError)];
}

const ErrorCodeRow* row_named(std::string_view name) noexcept {
  const auto* const found = std::lower_bound(
      kByName.begin(), kByName.end(), name,
      [](unsigned char row, std::string_view wanted) { return kErrorCodes[row].name < wanted; });
  if (found == kByName.end() || kErrorCodes[*found].name != name) return nullptr;
  return &kErrorCodes[*found];
}

}  // namespace base

namespace {

constexpr std::array<std::string_view, 9> kReasons{
    "",        "logged_out", "revoked",          "user_disabled", "user_deleted",
    "expired", "idle",       "password_changed", "unspecified"};
static_assert(static_cast<std::size_t>(EndReason::unspecified) + 1 == kReasons.size());

constexpr std::array<std::string_view, 4> kRemedies{"retry_later", "log_in_again", "fix_request",
                                                    "report_bug"};
static_assert(static_cast<std::size_t>(Remedy::report_bug) + 1 == kRemedies.size());

}  // namespace

std::string_view to_string(EndReason reason) noexcept {
  const auto index = static_cast<std::size_t>(reason);
  return index < kReasons.size() ? kReasons[index] : std::string_view{};
}

EndReason end_reason_from(std::string_view name) noexcept {
  for (std::size_t i = 1; i < kReasons.size(); ++i) {
    if (kReasons[i] == name) return static_cast<EndReason>(i);
  }
  return EndReason::none;
}

std::string_view to_string(Remedy remedy) noexcept {
  const auto index = static_cast<std::size_t>(remedy);
  return index < kRemedies.size() ? kRemedies[index] : std::string_view{};
}

std::string_view to_string(ErrorCode code) noexcept { return base::row_of(code).name; }

ErrorCode error_code_from(std::string_view name) noexcept {
  const base::ErrorCodeRow* const row = base::row_named(name);
  return row == nullptr ? ErrorCode::AppServerError : row->code;
}

Remedy usual_remedy(ErrorCode code) noexcept { return base::row_of(code).remedy; }

Error::Error(ErrorCode error_code, std::string text)
    : Error(error_code, usual_remedy(error_code), std::move(text)) {}

Error::Error(ErrorCode error_code, Remedy what_to_do, std::string text)
    : code(error_code), remedy(what_to_do), message(std::move(text)) {}

}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <keyturn/base/http.hpp>

namespace keyturn {
namespace {

// Field names are ASCII (RFC 9110 section 5.1); the C locale's functions would ask the process' locale.
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<std::string_view> find_header(const HttpHeaders& headers, std::string_view name) noexcept {
  for (const auto& [line_name, value] : headers) {
    if (same_name(line_name, name)) return value;
  }
  return std::nullopt;
}

}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#include "server/api/bearer.hpp"

#include <string>

#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

constexpr std::string_view kScheme = "bearer ";

bool has_scheme(std::string_view value) {
  if (value.size() <= kScheme.size()) return false;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = value[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != kScheme[i]) return false;
  }
  return true;
}

}  // namespace

Result<std::string_view> read_bearer(const HttpHeaders& headers, std::string_view malformed_text) {
  auto value = find_header(headers, "authorization");
  if (!value) return refusal(ErrorCode::AppUnknownError, 401, "must authenticate first");
  std::string_view token;
  if (has_scheme(*value)) {
    token = value->substr(kScheme.size());
    while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
    while (!token.empty() && token.back() == ' ') token.remove_suffix(1);
  }
  if (token.empty() || token.find(' ') != std::string_view::npos) {
    return refusal(ErrorCode::AppUnknownError, 401, std::string(malformed_text));
  }
  return token;
}

}  // namespace keyturn::server::api

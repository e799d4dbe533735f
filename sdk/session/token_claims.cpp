// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/token_claims.hpp"

#include <algorithm>

#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"

namespace keyturn::sdk {

TokenClaims read_claims(std::string_view token) {
  TokenClaims out;
  const auto claims = jwt::read_unverified(token);
  if (!claims) return out;
  if (const auto times = jwt::read_times(*claims)) {
    out.lifetime = times->lifetime();
    out.issued_at = times->issued_at;
  }
  const json::Value* subject = claims->find("sub");
  if (subject != nullptr && subject->as_string() != nullptr) out.subject = *subject->as_string();
  const json::Value* data = claims->find("user_data");
  if (data != nullptr && data->as_object() != nullptr) out.custom_data = json::write(*data);
  return out;
}

std::string key_bound_to(std::string_view token) {
  const auto claims = jwt::read_unverified(token);
  const json::Value* confirmation = claims ? claims->find("cnf") : nullptr;
  return confirmation == nullptr ? std::string() : std::string(confirmation->string_at("jkt").value_or(""));
}

bool looks_like_jwt(std::string_view token) noexcept {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '+' || c == '/' || c == '=';
  };
  if (std::count(token.begin(), token.end(), '.') != 2) return false;
  if (token.front() == '.' || token.back() == '.' || token.find("..") != std::string_view::npos) return false;
  return std::all_of(token.begin(), token.end(), allowed);
}

}  // namespace keyturn::sdk

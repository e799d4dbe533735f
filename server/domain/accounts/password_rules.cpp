// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/password_rules.hpp"

#include <algorithm>
#include <string>

#include "server/domain/accounts/common_passwords.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kMostCharacters = 128;

std::size_t code_points(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Result<void> check_new_password(std::string_view password, const PasswordSettings& settings,
                                std::string_view email) {
  const std::size_t length = code_points(password);
  if (length < settings.least_characters || length > kMostCharacters) {
    return bad_request("password must be between " + std::to_string(settings.least_characters) + " and " +
                       std::to_string(kMostCharacters) + " characters");
  }
  if (settings.refuse_common && (is_common_password(password) || password == email))
    return bad_request("password is too easy to guess: choose another one");
  return {};
}

Result<void> check_new_email(std::string_view email) {
  const bool has_control =
      std::any_of(email.begin(), email.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
  if (email.empty() || has_control || code_points(email) > kMostCharacters)
    return bad_request("email invalid");
  return {};
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/log_text.hpp"

#include <algorithm>

#include "core/crypto/crypto.hpp"

namespace keyturn::sdk {
namespace {

/// A UUID has 36. The signature of a token, its shortest part, has 43 at least.
constexpr std::size_t kLongestId = 40;
constexpr std::size_t kDigestBytes = 8;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-.@+").find(c) != std::string_view::npos;
}

}  // namespace

std::string logged_user(std::string_view user_id) {
  // All tokens begin alike, since their first bytes are those of a JSON object.
  const bool plain = !user_id.empty() && user_id.size() <= kLongestId &&
                     std::all_of(user_id.begin(), user_id.end(), is_plain) &&
                     user_id.find("eyJ") == std::string_view::npos;
  if (plain) return std::string(user_id);
  return "sha256:" + crypto::hex_encode(crypto::sha256(user_id).substr(0, kDigestBytes));
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"

namespace keyturn::faults {

/// Secrets whose every slice of 20 characters is looked for in a text, in every form in which it could have
/// got there (row B-38).
class Canaries {
 public:
  static constexpr std::size_t kSlice = 20;

  void add(const std::string& secret) {
    if (!known_.insert(secret).second) return;
    std::string quoted;
    json::append_quoted(quoted, secret);
    take(secret);
    take(std::string_view(quoted).substr(1, quoted.size() - 2));
    for (const char* const digits : {"0123456789abcdef", "0123456789ABCDEF"}) {
      take(escaped(secret, digits, "", true));
      take(escaped(secret, digits, "%", false));
      take(escaped(secret, digits, "%", true));
      take(escaped(secret, digits, "\\u00", true));
      take(escaped(secret, digits, "\\x", true));
    }
    // Wherever its first byte stood in what was encoded.
    for (std::size_t skipped = 0; skipped < 3 && skipped < secret.size(); ++skipped) {
      take(crypto::base64_encode(std::string_view(secret).substr(skipped)));
      take(crypto::base64url_encode(std::string_view(secret).substr(skipped)));
    }
  }

  /// What of a secret stands in the text; empty: nothing.
  [[nodiscard]] std::string found_in(std::string_view text) const {
    if (text.find("eyJ") != std::string_view::npos) return "eyJ, the beginning of a token";
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (slices_.contains(std::string(text.substr(at, kSlice)))) return std::string(text.substr(at, kSlice));
    }
    for (const std::string& whole : short_) {
      if (text.find(whole) != std::string_view::npos) return whole;
    }
    return {};
  }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  void take(std::string_view form) {
    if (form.size() < kSlice) {
      short_.emplace(form);
      return;
    }
    for (std::size_t at = 0; at + kSlice <= form.size(); ++at) slices_.emplace(form.substr(at, kSlice));
  }
  static std::string escaped(std::string_view text, const char* digits, const char* sign, bool all) {
    std::string out;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_' ||
                         byte == '~';
      if (plain && !all) {
        out += c;
      } else {
        out += sign;
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
      }
    }
    return out;
  }

  std::set<std::string> known_;
  std::set<std::string> slices_;
  std::set<std::string> short_;
};

}  // namespace keyturn::faults

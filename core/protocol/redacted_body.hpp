// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/secret.hpp>

namespace keyturn::protocol {

/// A JSON body without its long texts, so that a parser makes no copies of a token in memory that nobody
/// wipes (row B-33). Each value of `shortest` bytes and more that is an ASCII text without escapes gives way
/// to a placeholder; a body that could hold such a placeholder itself stays as it is.
///
/// Lifetime: `body` outlives it.
class RedactedBody {
 public:
  explicit RedactedBody(std::string_view body, std::size_t shortest = 32);

  /// To be parsed in place of the body.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// What stood where the parser found `parsed`.
  [[nodiscard]] std::string_view original(std::string_view parsed) const;

 private:
  std::string text_;
  std::vector<std::string_view> taken_;
};

}  // namespace keyturn::protocol

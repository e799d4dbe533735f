// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

namespace keyturn::server::documents {

/// A regular expression as MongoDB reads one (PCRE), with the options `i m s x u`. Sole user of PCRE2.
/// Matching is bounded: a pattern that would backtrack for ever matches nothing instead (row B-72).
///
/// Thread safety: immutable; copies share the compiled pattern.
class Regex {
 public:
  /// Errors: `MongoDBError` for a pattern that does not compile or an unknown option.
  [[nodiscard]] static Result<Regex> compile(std::string_view pattern, std::string_view options);
  [[nodiscard]] bool matches(std::string_view subject) const;

 private:
  explicit Regex(std::shared_ptr<const void> code) : code_(std::move(code)) {}
  std::shared_ptr<const void> code_;
};

}  // namespace keyturn::server::documents

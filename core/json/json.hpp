// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"

namespace keyturn::json {

/// What to do with an object that names a member twice (protocol decisions: "duplicate JSON names").
enum class DuplicateNames {
  refuse,     ///< JWTs and the client API.
  last_wins,  ///< The admin API: a set-up script of an old client sends them.
};

/// Bounds of a parse (rule S17). Depth counts nested arrays and objects; a scalar has depth 0.
struct Limits {
  std::size_t max_bytes = std::size_t{64} * 1024;
  int max_depth = 32;
  DuplicateNames duplicates = DuplicateNames::refuse;
  /// A value is some hundred bytes of memory and may be two of text, so that `max_bytes` alone bounds little.
  std::size_t max_values = 5'000'000;
};

/// Reads one JSON text (RFC 8259), strictly: valid UTF-8, no comments, no trailing bytes, no byte-order mark.
/// Errors: `BadRequest` with a message that names the fault and its byte offset, never the content.
[[nodiscard]] Result<Value> parse(std::string_view text, const Limits& limits = {});

/// Writes without white space, members in their order. A double that is not finite is written as `null`.
[[nodiscard]] std::string write(const Value& value);

/// Appends `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
void append_quoted(std::string& out, std::string_view text);

}  // namespace keyturn::json

// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/redacted_body.hpp"

#include <algorithm>
#include <charconv>

namespace keyturn::protocol {
namespace {

constexpr char kMark = '\x7f';

bool may_hold_a_mark(std::string_view body) {
  return body.find(kMark) != std::string_view::npos || body.find("\\u007") != std::string_view::npos;
}

// Nothing else may be taken out of the parser's sight.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
}

}  // namespace

RedactedBody::RedactedBody(std::string_view body, std::size_t shortest) {
  if (may_hold_a_mark(body)) {
    text_ = body;
    return;
  }
  bool is_value = false;
  while (!body.empty()) {
    const std::size_t quote = body.find('"');
    const std::string_view between = body.substr(0, quote);
    text_ += between;
    if (quote == std::string_view::npos) return;
    const std::size_t last = between.find_last_not_of(" \t\r\n");
    if (last != std::string_view::npos) is_value = between[last] == ':';
    body.remove_prefix(quote + 1);
    std::size_t end = 0;
    while (end < body.size() && body[end] != '"') end += body[end] == '\\' ? 2 : 1;
    if (end >= body.size()) {  // no JSON: the parser is to say so
      text_ += '"';
      return;
    }
    const std::string_view literal = body.substr(0, end);
    body.remove_prefix(end + 1);
    text_ += '"';
    if (is_value && literal.size() >= shortest && is_plain(literal)) {
      text_ += kMark;
      text_ += std::to_string(taken_.size());
      taken_.push_back(literal);
    } else {
      text_ += literal;
    }
    text_ += '"';
    is_value = false;
  }
}

std::string_view RedactedBody::original(std::string_view parsed) const {
  if (taken_.empty() || parsed.empty() || parsed.front() != kMark) return parsed;
  std::size_t index = taken_.size();
  std::from_chars(parsed.data() + 1, parsed.data() + parsed.size(), index);
  return index < taken_.size() ? taken_[index] : parsed;
}

}  // namespace keyturn::protocol

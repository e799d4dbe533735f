// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cmath>

#include "core/json/json.hpp"

namespace keyturn::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Bytes of the UTF-8 sequence at the start of `text` (RFC 3629 section 4), 0 when there is none.
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto continues = [&](std::size_t at) { return (byte(at) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned least = first == 0xe0 ? 0xa0U : 0x80U;  // no overlong forms
    const unsigned most = first == 0xed ? 0x9fU : 0xbfU;   // no surrogates
    return byte(1) >= least && byte(1) <= most && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned least = first == 0xf0 ? 0x90U : 0x80U;
    const unsigned most = first == 0xf4 ? 0x8fU : 0xbfU;  // nothing above U+10FFFF
    return byte(1) >= least && byte(1) <= most && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u00";
  out += kDigits[static_cast<unsigned char>(c) >> 4];
  out += kDigits[static_cast<unsigned char>(c) & 15];
}

void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos)
    out += ".0";  // so that it is read as a double again
}

void append(std::string& out, const Value& value) {
  if (const bool* const flag = value.as_bool()) {
    out += *flag ? "true" : "false";
  } else if (const std::int64_t* const number = value.as_int()) {
    std::array<char, 24> digits{};
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr);
  } else if (const double* const real = value.as_double()) {
    append_double(out, *real);
  } else if (const std::string* const text = value.as_string()) {
    append_quoted(out, *text);
  } else if (const Array* const array = value.as_array()) {
    char separator = '[';
    for (const Value& item : *array) {
      out += separator;
      append(out, item);
      separator = ',';
    }
    out += array->empty() ? "[]" : "]";
  } else if (const Object* const object = value.as_object()) {
    char separator = '{';
    for (const auto& [name, member] : *object) {
      out += separator;
      append_quoted(out, name);
      out += ':';
      append(out, member);
      separator = ',';
    }
    out += object->empty() ? "{}" : "}";
  } else {
    out += "null";
  }
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // start of the run that needs no change
  std::size_t at = 0;
  const auto flush = [&] { out += text.substr(plain, at - plain); };
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    if (byte < 0x80) {
      flush();
      append_escape(out, text[at]);
      plain = ++at;
      continue;
    }
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) {
      flush();
      out += kReplacement;
      plain = ++at;
    } else {
      at += length;
    }
  }
  flush();
  out += '"';
}

std::string write(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace keyturn::json

// SPDX-License-Identifier: Apache-2.0
// The canonical and relaxed formats of MongoDB Extended JSON v2.
#include <array>
#include <charconv>
#include <cmath>

#include <keyturn/ejson.hpp>

#include "core/ejson/base64.hpp"
#include "core/ejson/iso_date.hpp"
#include "core/json/json.hpp"

namespace keyturn {
namespace {

enum class Format { canonical, relaxed };

std::string shortest(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> text{};
  const auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), number);
  std::string written(text.data(), end);
  // "1.0", as the specification's canonical form has it, so that a reader sees a Double.
  if (written.find_first_of(".eE") == std::string::npos) written += ".0";
  return written;
}

struct Writer {
  std::string& out;
  Format format;

  void quoted_member(std::string_view name, std::string_view text) {
    out += "{\"";
    out += name;
    out += "\":";
    json::append_quoted(out, text);
    out += '}';
  }

  void operator()(std::nullptr_t) { out += "null"; }
  void operator()(bool value) { out += value ? "true" : "false"; }
  void operator()(std::int32_t value) { integer("$numberInt", value); }
  void operator()(std::int64_t value) { integer("$numberLong", value); }
  void integer(std::string_view name, std::int64_t value) {
    if (format == Format::relaxed) {
      out += std::to_string(value);
    } else {
      quoted_member(name, std::to_string(value));
    }
  }
  void operator()(double value) {
    if (format == Format::relaxed && std::isfinite(value)) {
      out += shortest(value);
    } else {
      quoted_member("$numberDouble", shortest(value));
    }
  }
  void operator()(const Decimal128& value) { quoted_member("$numberDecimal", value.to_string()); }
  void operator()(const std::string& value) { json::append_quoted(out, value); }
  void operator()(const EjsonDocument& value) {
    char separator = '{';
    for (const auto& [name, inner] : value) {
      out += separator;
      json::append_quoted(out, name);
      out += ':';
      std::visit(*this, inner.value());
      separator = ',';
    }
    if (value.empty()) out += '{';
    out += '}';
  }
  void operator()(const EjsonArray& value) {
    char separator = '[';
    for (const Ejson& element : value) {
      out += separator;
      std::visit(*this, element.value());
      separator = ',';
    }
    if (value.empty()) out += '[';
    out += ']';
  }
  void operator()(const BsonBinary& value) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += R"({"$binary":{"base64":")" + ejson::encode_base64(value.bytes) + R"(","subType":")";
    out += kDigits[value.subtype >> 4];
    out += kDigits[value.subtype & 15];
    out += R"("}})";
  }
  void operator()(const ObjectId& value) { quoted_member("$oid", value.to_hex()); }
  void operator()(const BsonDate& value) {
    // The relaxed format writes ISO dates for the years 1970 to 9999 only.
    constexpr std::int64_t kEndOf9999 = 253'402'300'800'000;
    if (format == Format::relaxed && value.milliseconds >= 0 && value.milliseconds < kEndOf9999) {
      quoted_member("$date", ejson::format_iso_date(value.milliseconds));
    } else {
      out += R"({"$date":{"$numberLong":")" + std::to_string(value.milliseconds) + R"("}})";
    }
  }
  void operator()(const BsonRegex& value) {
    out += R"({"$regularExpression":{"pattern":)";
    json::append_quoted(out, value.pattern);
    out += R"(,"options":)";
    json::append_quoted(out, value.options);
    out += "}}";
  }
  void operator()(const BsonTimestamp& value) {
    out += R"({"$timestamp":{"t":)" + std::to_string(value.seconds) + R"(,"i":)" +
           std::to_string(value.increment) + "}}";
  }
  void operator()(BsonMinKey) { out += R"({"$minKey":1})"; }
  void operator()(BsonMaxKey) { out += R"({"$maxKey":1})"; }
  void operator()(BsonUndefined) { out += "{\"$undefined\":true}"; }
};

}  // namespace

std::string Ejson::to_canonical() const {
  std::string out;
  std::visit(Writer{out, Format::canonical}, value_);
  return out;
}

std::string Ejson::to_relaxed() const {
  std::string out;
  std::visit(Writer{out, Format::relaxed}, value_);
  return out;
}

}  // namespace keyturn

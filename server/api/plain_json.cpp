// SPDX-License-Identifier: Apache-2.0
#include "server/api/plain_json.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/crypto/crypto.hpp"
#include "core/ejson/iso_date.hpp"

namespace keyturn::server::api {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
constexpr std::int64_t kFirstIsoDate = -62'167'219'200'000;
constexpr std::int64_t kLastIsoDate = 253'402'300'799'999;

json::Value plain_double(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  const bool is_integer = std::trunc(number) == number && std::abs(number) <= kExactIntegers;
  if (is_integer && !(number == 0 && std::signbit(number))) return static_cast<std::int64_t>(number);
  return number;
}

json::Value plain_date(std::int64_t milliseconds) {
  if (milliseconds < kFirstIsoDate || milliseconds > kLastIsoDate) return milliseconds;  // no such ISO year
  std::string text = ejson::format_iso_date(milliseconds);
  if (text.find('.') == std::string::npos) text.insert(text.size() - 1, ".000");
  return text;
}

struct Plain {
  json::Value operator()(std::nullptr_t) const { return {}; }
  json::Value operator()(bool value) const { return value; }
  json::Value operator()(std::int32_t value) const { return std::int64_t{value}; }
  json::Value operator()(std::int64_t value) const { return value; }
  json::Value operator()(double value) const { return plain_double(value); }
  json::Value operator()(const Decimal128& value) const { return value.to_string(); }
  json::Value operator()(const std::string& value) const { return value; }
  json::Value operator()(const ObjectId& value) const { return value.to_hex(); }
  json::Value operator()(BsonDate value) const { return plain_date(value.milliseconds); }
  json::Value operator()(BsonUndefined) const { return {}; }
  json::Value operator()(BsonMinKey) const { return json::Object(); }
  json::Value operator()(BsonMaxKey) const { return json::Object(); }
  json::Value operator()(const BsonBinary& value) const {
    return json::Object{{"Subtype", int{value.subtype}}, {"Data", crypto::base64_encode(value.bytes)}};
  }
  json::Value operator()(const BsonRegex& value) const {
    return json::Object{{"Pattern", value.pattern}, {"Options", value.options}};
  }
  json::Value operator()(BsonTimestamp value) const {
    return json::Object{{"T", std::int64_t{value.seconds}}, {"I", std::int64_t{value.increment}}};
  }
  json::Value operator()(const EjsonArray& list) const {
    json::Array out;
    out.reserve(list.size());
    for (const Ejson& each : list) out.push_back(plain_json(each));
    return out;
  }
  json::Value operator()(const EjsonDocument& document) const {
    std::vector<json::Object::Member> out;
    out.reserve(document.size());
    for (const auto& [name, value] : document) out.emplace_back(name, plain_json(value));
    return json::Object(std::move(out));
  }
};

}  // namespace

json::Value plain_json(const Ejson& value) { return std::visit(Plain{}, value.value()); }

}  // namespace keyturn::server::api

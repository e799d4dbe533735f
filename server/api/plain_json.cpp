// SPDX-License-Identifier: Apache-2.0
#include "server/api/plain_json.hpp"

#include <cmath>
#include <type_traits>
#include <variant>

#include "core/crypto/crypto.hpp"
#include "core/ejson/iso_date.hpp"

namespace keyturn::server::api {
namespace {

/// With three decimals always: "2024-05-06T07:08:09.000Z".
std::string iso(BsonDate date) {
  std::string text = ejson::format_iso_date(date.milliseconds);
  if (text.find('.') == std::string::npos && !text.empty()) text.insert(text.size() - 1, ".000");
  return text;
}

struct Plain {
  template <class T>
  json::Value operator()(const T& value) const {
    if constexpr (std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, BsonUndefined>) {
      return {};
    } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> ||
                         std::is_same_v<T, std::string>) {
      return json::Value(value);
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
      return json::Value(static_cast<std::int64_t>(value));
    } else if constexpr (std::is_same_v<T, double>) {
      return std::isfinite(value) ? json::Value(value) : json::Value();  // JSON has no other numbers
    } else if constexpr (std::is_same_v<T, Decimal128>) {
      return json::Value(value.to_string());
    } else if constexpr (std::is_same_v<T, ObjectId>) {
      return json::Value(value.to_hex());
    } else if constexpr (std::is_same_v<T, BsonDate>) {
      return json::Value(iso(value));
    } else if constexpr (std::is_same_v<T, BsonBinary>) {
      return json::Object{{"Subtype", static_cast<std::int64_t>(value.subtype)},
                          {"Data", crypto::base64_encode(value.bytes)}};
    } else if constexpr (std::is_same_v<T, BsonRegex>) {
      return json::Object{{"Pattern", value.pattern}, {"Options", value.options}};
    } else if constexpr (std::is_same_v<T, BsonTimestamp>) {
      return json::Object{{"T", static_cast<std::int64_t>(value.seconds)},
                          {"I", static_cast<std::int64_t>(value.increment)}};
    } else if constexpr (std::is_same_v<T, EjsonArray>) {
      json::Array out;
      for (const Ejson& each : value) out.push_back(plain_json(each));
      return out;
    } else if constexpr (std::is_same_v<T, EjsonDocument>) {
      json::Object out;
      for (const auto& [name, each] : value) out.set(name, plain_json(each));
      return out;
    } else {
      return json::Object();  // MinKey, MaxKey
    }
  }
};

}  // namespace

json::Value plain_json(const Ejson& value) { return std::visit(Plain{}, value.value()); }

}  // namespace keyturn::server::api

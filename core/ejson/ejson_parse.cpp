// SPDX-License-Identifier: Apache-2.0
// MongoDB Extended JSON v2 (specifications "extended-json"), all of canonical and relaxed, and plain JSON.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include <keyturn/ejson.hpp>

#include "core/ejson/base64.hpp"
#include "core/ejson/bson.hpp"
#include "core/ejson/iso_date.hpp"
#include "core/json/json.hpp"

namespace keyturn {
namespace {

Error malformed(std::string_view what) {
  return Error(ErrorCode::MalformedJson, "EJSON: " + std::string(what));
}

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T number{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> double_text(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text.find_first_of("nN") != std::string_view::npos)
    return std::nullopt;  // from_chars takes "inf" and "nan"
  return whole_number<double>(text);
}

Result<Ejson> convert(const json::Value& value);

Result<Ejson> convert_date(const json::Value& inner) {
  if (const auto* iso = inner.as_string()) {
    if (const auto date = ejson::parse_iso_date(*iso)) return Ejson(BsonDate{*date});
  } else if (const auto* plain = inner.as_int()) {
    return Ejson(BsonDate{*plain});
  } else if (inner.as_object() != nullptr && inner.as_object()->size() == 1) {
    const auto text = inner.string_at("$numberLong");
    const auto number = text ? whole_number<std::int64_t>(*text) : std::nullopt;
    if (number) return Ejson(BsonDate{*number});
  }
  return malformed("$date");
}

Result<Ejson> convert_binary(const json::Value& inner) {
  const auto* object = inner.as_object();
  if (object == nullptr || object->size() != 2) return malformed("$binary");
  const auto base64 = inner.string_at("base64");
  const auto subtype_text = inner.string_at("subType");
  if (!base64 || !subtype_text || subtype_text->empty() || subtype_text->size() > 2)
    return malformed("$binary");
  unsigned subtype = 0;
  const auto [end, fault] =
      std::from_chars(subtype_text->data(), subtype_text->data() + subtype_text->size(), subtype, 16);
  auto bytes = ejson::decode_base64(*base64);
  if (fault != std::errc{} || end != subtype_text->data() + subtype_text->size() || !bytes)
    return malformed("$binary");
  return Ejson(BsonBinary{std::move(*bytes), static_cast<std::uint8_t>(subtype)});
}

Result<Ejson> convert_uuid(std::string_view text) {
  std::string bytes;
  int half = -1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash_place = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash_place != (text[i] == '-')) return malformed("$uuid");
    if (dash_place) continue;
    int digit = 0;
    const auto [end, fault] = std::from_chars(text.data() + i, text.data() + i + 1, digit, 16);
    if (fault != std::errc{}) return malformed("$uuid");
    if (half < 0) {
      half = digit;
    } else {
      bytes += static_cast<char>(half * 16 + digit);
      half = -1;
    }
  }
  if (bytes.size() != 16 || half >= 0) return malformed("$uuid");
  return Ejson(BsonBinary{std::move(bytes), 4});
}

Result<Ejson> convert_timestamp(const json::Value& inner) {
  const auto* object = inner.as_object();
  const auto seconds = inner.int_at("t");
  const auto increment = inner.int_at("i");
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  if (object == nullptr || object->size() != 2 || !seconds || !increment || *seconds < 0 || *increment < 0 ||
      *seconds > kMax || *increment > kMax) {
    return malformed("$timestamp");
  }
  return Ejson(BsonTimestamp{static_cast<std::uint32_t>(*seconds), static_cast<std::uint32_t>(*increment)});
}

// A wrapper of one member, such as {"$numberInt":"1"}. Nothing when the name is not one of a wrapper: then it
// is a document, for example a query operator.
std::optional<Result<Ejson>> convert_wrapper(const std::string& name, const json::Value& inner) {
  const std::string* text = inner.as_string();
  if (name == "$oid") {
    const auto id = text ? ObjectId::from_hex(*text) : std::nullopt;
    return id ? Result<Ejson>(*id) : malformed(name);
  }
  if (name == "$numberInt") {
    const auto number = text ? whole_number<std::int32_t>(*text) : std::nullopt;
    return number ? Result<Ejson>(*number) : malformed(name);
  }
  if (name == "$numberLong") {
    const auto number = text ? whole_number<std::int64_t>(*text) : std::nullopt;
    return number ? Result<Ejson>(*number) : malformed(name);
  }
  if (name == "$numberDouble") {
    const auto number = text ? double_text(*text) : std::nullopt;
    return number ? Result<Ejson>(*number) : malformed(name);
  }
  if (name == "$numberDecimal") {
    const auto number = text ? Decimal128::from_string(*text) : std::nullopt;
    return number ? Result<Ejson>(*number) : malformed(name);
  }
  if (name == "$date") return convert_date(inner);
  if (name == "$binary") return convert_binary(inner);
  if (name == "$uuid") return text ? convert_uuid(*text) : malformed(name);
  if (name == "$timestamp") return convert_timestamp(inner);
  if (name == "$regularExpression") {
    const auto pattern = inner.string_at("pattern");
    const auto options = inner.string_at("options");
    if (!pattern || !options || inner.as_object()->size() != 2) return malformed(name);
    // BSON ends both at their first zero.
    if (pattern->find('\0') != pattern->npos || options->find('\0') != options->npos) return malformed(name);
    std::string sorted(*options);
    std::sort(sorted.begin(), sorted.end());
    return Ejson(BsonRegex{std::string(*pattern), std::move(sorted)});
  }
  if (name == "$minKey" || name == "$maxKey") {
    if (inner.as_int() == nullptr || *inner.as_int() != 1) return malformed(name);
    return name == "$minKey" ? Ejson(BsonMinKey{}) : Ejson(BsonMaxKey{});
  }
  if (name == "$undefined") {
    if (inner.as_bool() == nullptr || !*inner.as_bool()) return malformed(name);
    return Ejson(BsonUndefined{});
  }
  if (name == "$code" || name == "$dbPointer" || name == "$symbol")
    return malformed(std::string(name) + ", a type that is not supported");
  return std::nullopt;
}

// The name of a wrapper, which no document of several members may have: what it holds would be lost or kept
// under another type.
bool is_wrapper_name(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "$oid",       "$numberInt", "$numberLong",        "$numberDouble", "$numberDecimal", "$date",
      "$binary",    "$uuid",      "$regularExpression", "$timestamp",    "$symbol",        "$minKey",
      "$undefined", "$maxKey",    "$dbPointer",         "$code",         "$scope"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Result<Ejson> convert_object(const json::Object& object) {
  if (object.size() == 1) {
    const auto& [name, inner] = *object.begin();
    if (!name.empty() && name.front() == '$') {
      if (auto wrapped = convert_wrapper(name, inner)) return std::move(*wrapped);
    }
  }
  EjsonDocument document;
  document.reserve(object.size());
  for (const auto& [name, inner] : object) {
    if (name.find('\0') != std::string::npos) return malformed("a member name with a NUL byte");
    if (object.size() > 1 && name.starts_with('$') && is_wrapper_name(name))
      return malformed(name + " beside other members");
    auto converted = convert(inner);
    if (!converted) return converted;
    document.append(name, std::move(*converted));  // the parser has refused duplicate names
  }
  return Ejson(std::move(document));
}

Result<Ejson> convert(const json::Value& value) {
  if (value.is_null()) return Ejson(nullptr);
  if (const auto* b = value.as_bool()) return Ejson(*b);
  if (const auto* d = value.as_double()) return Ejson(*d);
  if (const auto* s = value.as_string()) return Ejson(*s);
  if (const auto* i = value.as_int()) {
    if (*i >= std::numeric_limits<std::int32_t>::min() && *i <= std::numeric_limits<std::int32_t>::max()) {
      return Ejson(static_cast<std::int32_t>(*i));
    }
    return Ejson(*i);
  }
  if (const auto* object = value.as_object()) return convert_object(*object);
  EjsonArray array;
  array.reserve(value.as_array()->size());
  for (const json::Value& element : *value.as_array()) {
    auto converted = convert(element);
    if (!converted) return converted;
    array.push_back(std::move(*converted));
  }
  return Ejson(std::move(array));
}

}  // namespace

Result<Ejson> Ejson::parse(std::string_view text) {
  const auto parsed = json::parse(text, {.max_bytes = ejson::kMaxBytes,
                                         .max_depth = ejson::kMaxDepth,
                                         .duplicates = json::DuplicateNames::refuse});
  if (!parsed) return Error(ErrorCode::MalformedJson, parsed.error().message);
  return convert(*parsed);
}

}  // namespace keyturn

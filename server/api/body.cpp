// SPDX-License-Identifier: Apache-2.0
#include "server/api/body.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "core/json/json.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

constexpr std::size_t kAuth = std::size_t{64} * 1024;
constexpr std::size_t kAdmin = std::size_t{1024} * 1024;
constexpr std::size_t kFunction = std::size_t{18} * 1024 * 1024;
constexpr int kFunctionDepth = 100;

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  return fault == std::errc() && end == text.data() + text.size();
}

/// The plain number of {"$numberInt" | "$numberLong" | "$numberDouble": "text"}; false for anything else.
bool take_number(json::Value& value) {
  const json::Object* object = value.as_object();
  if (object == nullptr || object->size() != 1 || object->begin()->second.as_string() == nullptr)
    return false;
  const std::string& name = object->begin()->first;
  const std::string& text = *object->begin()->second.as_string();
  std::int64_t integer = 0;
  double real = 0;
  if ((name == "$numberInt" || name == "$numberLong") && read_number(text, integer)) {
    value = json::Value(integer);
    return true;
  }
  if (name == "$numberDouble" && read_number(text, real)) {
    value = json::Value(real);
    return true;
  }
  return false;
}

/// The depth is bounded by the parser.
void make_plain(json::Value& value) {
  if (take_number(value)) return;
  if (json::Array* array = value.as_array(); array != nullptr) {
    for (json::Value& each : *array) make_plain(each);
  } else if (json::Object* object = value.as_object(); object != nullptr) {
    json::Object plain;
    std::vector<json::Object::Member> members(object->begin(), object->end());
    for (auto& member : members) make_plain(member.second);
    value = json::Value(json::Object(std::move(members)));
  }
}

Result<json::Value> as_object(Result<json::Value> value) {
  if (value && value->as_object() == nullptr)
    return refusal(ErrorCode::BadRequest, "the body must be an object");
  return value;
}

Result<json::Value> read_admin(std::string_view text) {
  if (text.empty()) return json::Value(json::Object());
  auto value = json::parse(text, {kAdmin, 32, json::DuplicateNames::last_wins});
  if (!value) return value;
  const bool is_nothing = value->is_null() || (value->as_string() != nullptr && value->as_string()->empty());
  if (is_nothing) return json::Value(json::Object());
  make_plain(*value);
  return value;
}

}  // namespace

std::size_t body_limit(Body kind, Surface surface) noexcept {
  switch (kind) {
    case Body::function:
    case Body::large:
      return kFunction;
    case Body::admin_object:
    case Body::admin_any:
      return kAdmin;
    case Body::ignored:
    case Body::raw:
    case Body::object:
      break;
  }
  return surface == Surface::client ? kAuth : kAdmin;
}

Result<json::Value> read_body(Body kind, std::string_view text) {
  switch (kind) {
    case Body::ignored:
    case Body::raw:
    case Body::large:
      break;
    case Body::object:
      return text.empty() ? json::Value(json::Object()) : as_object(json::parse(text, {kAuth, 32}));
    case Body::function:
      return text.empty() ? json::Value(json::Object())
                          : as_object(json::parse(text, {kFunction, kFunctionDepth,
                                                         json::DuplicateNames::refuse, kMostValues}));
    case Body::admin_object:
      return as_object(read_admin(text));
    case Body::admin_any:
      return read_admin(text);
  }
  return json::Value();
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/json.hpp"

namespace keyturn::protocol {

/// Reads a server's answer. Errors: `MalformedJson`.
[[nodiscard]] inline Result<json::Value> parse_answer(std::string_view body) {
  auto value = json::parse(body, {std::size_t{18} * 1024 * 1024, 100, json::DuplicateNames::refuse});
  if (!value)
    return Error(ErrorCode::MalformedJson, "the server's answer is not JSON: " + value.error().message);
  return value;
}

/// Takes members of an object one by one and remembers the first that is absent or of the wrong type.
///
/// Lifetime: holds a reference to the value; views and pointers are valid as long as that is.
class FieldReader {
 public:
  explicit FieldReader(const json::Value& value) : value_(value) {}

  [[nodiscard]] std::string_view text(std::string_view name) {
    return take(value_.string_at(name), name).value_or(std::string_view());
  }
  /// Of a member that may be absent, null or of another type.
  [[nodiscard]] std::string_view text_or(std::string_view name, std::string_view otherwise) const {
    return value_.string_at(name).value_or(otherwise);
  }
  [[nodiscard]] bool flag(std::string_view name) { return take(value_.bool_at(name), name).value_or(false); }
  [[nodiscard]] std::int64_t integer(std::string_view name) {
    return take(value_.int_at(name), name).value_or(0);
  }
  [[nodiscard]] const json::Object* object(std::string_view name) {
    const json::Value* found = value_.find(name);
    const json::Object* object = found == nullptr ? nullptr : found->as_object();
    if (object == nullptr) note(name);
    return object;
  }
  [[nodiscard]] const json::Array* array(std::string_view name) {
    const json::Value* found = value_.find(name);
    const json::Array* array = found == nullptr ? nullptr : found->as_array();
    if (array == nullptr) note(name);
    return array;
  }

  [[nodiscard]] bool failed() const noexcept { return !missing_.empty(); }
  [[nodiscard]] Error error() const {
    return {ErrorCode::MissingJsonKey, "the server's answer has no usable member '" + missing_ + "'"};
  }

 private:
  template <class T>
  std::optional<T> take(std::optional<T> found, std::string_view name) {
    if (!found) note(name);
    return found;
  }
  void note(std::string_view name) {
    if (missing_.empty()) missing_ = name;
  }

  const json::Value& value_;
  std::string missing_;
};

}  // namespace keyturn::protocol

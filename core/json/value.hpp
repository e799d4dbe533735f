// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace keyturn::json {

class Value;
using Array = std::vector<Value>;

/// An object's members in the order in which they were read or added. Names are unique; look-up is linear,
/// which is right for the few members of a message or token.
class Object {
 public:
  using Member = std::pair<std::string, Value>;

  Object() = default;
  Object(std::initializer_list<Member> members);
  /// Takes members whose names the caller knows to be unique, without looking for duplicates.
  explicit Object(std::vector<Member> unique_members) noexcept;

  /// The member's value, or null when there is none. Valid until the object changes.
  [[nodiscard]] const Value* find(std::string_view name) const noexcept;
  [[nodiscard]] Value* find(std::string_view name) noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  /// Adds the member or replaces its value in place.
  Value& set(std::string name, Value value);
  /// Removes the member; false when there was none.
  bool erase(std::string_view name);

  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::vector<Member>::const_iterator begin() const noexcept;
  [[nodiscard]] std::vector<Member>::const_iterator end() const noexcept;

  friend bool operator==(const Object& a, const Object& b);

 private:
  std::vector<Member> members_;
};

/// One JSON value (RFC 8259). Integers that fit 64 bits signed are kept exact and apart from other numbers.
///
/// Thread safety: a plain value.
class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}                               // NOLINT(google-explicit-constructor)
  Value(bool b) : data_(b) {}                            // NOLINT(google-explicit-constructor)
  Value(int i) : data_(static_cast<std::int64_t>(i)) {}  // NOLINT(google-explicit-constructor)
  Value(std::int64_t i) : data_(i) {}                    // NOLINT(google-explicit-constructor)
  Value(double d) : data_(d) {}                          // NOLINT(google-explicit-constructor)
  Value(std::string s) : data_(std::move(s)) {}          // NOLINT(google-explicit-constructor)
  Value(std::string_view s) : data_(std::string(s)) {}   // NOLINT(google-explicit-constructor)
  Value(const char* s) : data_(std::string(s)) {}        // NOLINT(google-explicit-constructor)
  Value(Array a) : data_(std::move(a)) {}                // NOLINT(google-explicit-constructor)
  Value(Object o) : data_(std::move(o)) {}               // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_null() const noexcept { return data_.index() == 0; }
  [[nodiscard]] const bool* as_bool() const noexcept { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::int64_t* as_int() const noexcept { return std::get_if<std::int64_t>(&data_); }
  [[nodiscard]] const double* as_double() const noexcept { return std::get_if<double>(&data_); }
  [[nodiscard]] const std::string* as_string() const noexcept { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const Array* as_array() const noexcept { return std::get_if<Array>(&data_); }
  [[nodiscard]] const Object* as_object() const noexcept { return std::get_if<Object>(&data_); }
  [[nodiscard]] Array* as_array() noexcept { return std::get_if<Array>(&data_); }
  [[nodiscard]] Object* as_object() noexcept { return std::get_if<Object>(&data_); }

  /// The member of an object, or null when this is no object or has no such member.
  [[nodiscard]] const Value* find(std::string_view name) const noexcept {
    const Object* object = as_object();
    return object == nullptr ? nullptr : object->find(name);
  }
  /// The string member of that name, or nothing when it is absent or no string.
  [[nodiscard]] std::optional<std::string_view> string_at(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<std::int64_t> int_at(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<bool> bool_at(std::string_view name) const noexcept;

  friend bool operator==(const Value& a, const Value& b) { return a.data_ == b.data_; }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

// Here, because a vector of an incomplete type may be named but not used.
inline bool Object::empty() const noexcept { return members_.empty(); }
inline std::size_t Object::size() const noexcept { return members_.size(); }
inline std::vector<Object::Member>::const_iterator Object::begin() const noexcept { return members_.begin(); }
inline std::vector<Object::Member>::const_iterator Object::end() const noexcept { return members_.end(); }
inline bool operator==(const Object& a, const Object& b) { return a.members_ == b.members_; }

}  // namespace keyturn::json

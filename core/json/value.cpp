// SPDX-License-Identifier: Apache-2.0
#include "core/json/value.hpp"

#include <algorithm>

namespace keyturn::json {

Object::Object(std::initializer_list<Member> members) {
  members_.reserve(members.size());
  for (const Member& member : members) set(member.first, member.second);
}

Object::Object(std::vector<Member> unique_members) noexcept : members_(std::move(unique_members)) {}

const Value* Object::find(std::string_view name) const noexcept {
  for (const Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Value* Object::find(std::string_view name) noexcept {
  for (Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Value& Object::set(std::string name, Value value) {
  if (Value* const present = find(name)) {
    *present = std::move(value);
    return *present;
  }
  return members_.emplace_back(std::move(name), std::move(value)).second;
}

bool Object::erase(std::string_view name) {
  const auto member =
      std::find_if(members_.begin(), members_.end(), [name](const Member& m) { return m.first == name; });
  if (member == members_.end()) return false;
  members_.erase(member);
  return true;
}

std::optional<std::string_view> Value::string_at(std::string_view name) const noexcept {
  const Value* const value = find(name);
  const std::string* const text = value == nullptr ? nullptr : value->as_string();
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
}

std::optional<std::int64_t> Value::int_at(std::string_view name) const noexcept {
  const Value* const value = find(name);
  const std::int64_t* const number = value == nullptr ? nullptr : value->as_int();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<bool> Value::bool_at(std::string_view name) const noexcept {
  const Value* const value = find(name);
  const bool* const flag = value == nullptr ? nullptr : value->as_bool();
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

}  // namespace keyturn::json

// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/exchange_pattern.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "core/base/object_id.hpp"
#include "core/json/json.hpp"

namespace keyturn::contract {
namespace {

constexpr std::string_view kContains = "<contains:";
constexpr std::string_view kOthers = "...";

bool all_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool is_jwt(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return all_of(text, kAlphabet) && std::count(text.begin(), text.end(), '.') == 2;
}

bool is_anonymous_id(std::string_view text) {
  return text.size() == 49 && is_object_id(text.substr(0, 24)) && text[24] == '-' &&
         all_of(text.substr(25), "abcdefghijklmnopqrstuvwxyz");
}

bool is_key(std::string_view text) {
  return text.size() == 64 && all_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

struct Kind {
  std::string_view name;
  bool (*is_it)(const json::Value& value, std::string_view request_id);
};

bool text_is(const json::Value& value, bool (*check)(std::string_view)) {
  return value.as_string() != nullptr && check(*value.as_string());
}

constexpr std::array<Kind, 13> kKinds{{
    {"<any>", [](const json::Value&, std::string_view) { return true; }},
    {"<string>", [](const json::Value& v, std::string_view) { return v.as_string() != nullptr; }},
    {"<text>", [](const json::Value& v,
                  std::string_view) { return v.as_string() != nullptr && !v.as_string()->empty(); }},
    {"<int>", [](const json::Value& v, std::string_view) { return v.as_int() != nullptr; }},
    {"<bool>", [](const json::Value& v, std::string_view) { return v.as_bool() != nullptr; }},
    {"<object>", [](const json::Value& v, std::string_view) { return v.as_object() != nullptr; }},
    {"<array>", [](const json::Value& v, std::string_view) { return v.as_array() != nullptr; }},
    {"<id>", [](const json::Value& v, std::string_view) { return text_is(v, is_object_id); }},
    {"<jwt>", [](const json::Value& v, std::string_view) { return text_is(v, is_jwt); }},
    {"<key>", [](const json::Value& v, std::string_view) { return text_is(v, is_key); }},
    {"<anonymous id>", [](const json::Value& v, std::string_view) { return text_is(v, is_anonymous_id); }},
    {"<hex128>",
     [](const json::Value& v, std::string_view) {
       return v.as_string() != nullptr && v.as_string()->size() == 128 &&
              all_of(*v.as_string(), "0123456789abcdef");
     }},
    {"<link>",
     [](const json::Value& v, std::string_view id) {
       return v.as_string() != nullptr &&
              v.as_string()->find("logs?co_id=" + std::string(id)) != std::string::npos;
     }},
}};

std::string text_difference(const std::string& pattern, const json::Value& actual,
                            std::string_view request_id) {
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.name == pattern; });
  if (kind != kKinds.end()) return kind->is_it(actual, request_id) ? "" : "no " + pattern;
  if (actual.as_string() == nullptr) return "no string";
  if (pattern.substr(0, kContains.size()) == kContains) {
    const std::string part = pattern.substr(kContains.size(), pattern.size() - kContains.size() - 1);
    return actual.as_string()->find(part) == std::string::npos ? "does not contain '" + part + "'" : "";
  }
  return *actual.as_string() == pattern ? "" : "is not '" + pattern + "'";
}

std::string object_difference(const json::Object& pattern, const json::Object& actual,
                              std::string_view request_id, const std::string& where) {
  for (const auto& [name, value] : pattern) {
    if (name == kOthers) continue;
    const json::Value* found = actual.find(name);
    if (found == nullptr) return where + "." + name + " is missing";
    if (auto wrong = difference(value, *found, request_id, where + "." + name); !wrong.empty()) return wrong;
  }
  if (pattern.contains(kOthers)) return {};
  for (const auto& [name, value] : actual) {
    if (!pattern.contains(name)) return where + "." + name + " should not be there";
  }
  return {};
}

std::string array_difference(const json::Array& pattern, const json::Array& actual,
                             std::string_view request_id, const std::string& where) {
  if (pattern.size() != actual.size()) return where + " has " + std::to_string(actual.size()) + " elements";
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (auto wrong = difference(pattern[i], actual[i], request_id, where + "." + std::to_string(i));
        !wrong.empty()) {
      return wrong;
    }
  }
  return {};
}

}  // namespace

std::string substitute(std::string_view text, const Names& names) {
  std::string out;
  for (;;) {
    const auto begin = text.find("${");
    const auto end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) return out.append(text);
    const auto found = names.find(text.substr(begin + 2, end - begin - 2));
    out += text.substr(0, begin);
    out += found == names.end() ? text.substr(begin, end - begin + 1) : std::string_view(found->second);
    text.remove_prefix(end + 1);
  }
}

json::Value substitute(const json::Value& value, const Names& names) {
  if (value.as_string() != nullptr) return substitute(std::string_view(*value.as_string()), names);
  if (value.as_array() != nullptr) {
    json::Array out;
    for (const json::Value& each : *value.as_array()) out.push_back(substitute(each, names));
    return out;
  }
  if (value.as_object() != nullptr) {
    json::Object out;
    for (const auto& [name, each] : *value.as_object()) {
      out.set(substitute(std::string_view(name), names), substitute(each, names));
    }
    return out;
  }
  return value;
}

std::string difference(const json::Value& pattern, const json::Value& actual, std::string_view request_id,
                       const std::string& where) {
  std::string wrong;
  if (pattern.as_string() != nullptr) {
    wrong = text_difference(*pattern.as_string(), actual, request_id);
  } else if (pattern.as_object() != nullptr && actual.as_object() != nullptr) {
    return object_difference(*pattern.as_object(), *actual.as_object(), request_id, where);
  } else if (pattern.as_array() != nullptr && actual.as_array() != nullptr) {
    return array_difference(*pattern.as_array(), *actual.as_array(), request_id, where);
  } else if (!(pattern == actual)) {
    wrong = "is not " + json::write(pattern);
  }
  return wrong.empty() ? "" : where + " " + wrong + ": " + json::write(actual);
}

const json::Value* value_at(const json::Value& value, std::string_view path) {
  const json::Value* at = &value;
  while (at != nullptr && !path.empty()) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (at->as_array() == nullptr) {
      at = at->find(part);
      continue;
    }
    std::size_t index = 0;
    const auto [rest, fault] = std::from_chars(part.data(), part.data() + part.size(), index);
    at = fault == std::errc() && index < at->as_array()->size() ? &(*at->as_array())[index] : nullptr;
  }
  return at;
}

}  // namespace keyturn::contract

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/secret.hpp>

#include "core/base/guarded_memory.hpp"
#include "core/json/json.hpp"

namespace keyturn::sdk {

using SecretMembers = std::initializer_list<std::pair<const char*, std::string*>>;

/// `{"name":"value",...}` in one piece of memory, without a tree, so that no secret is copied about (row
/// B-33). The values are wiped; `rest` is the text of further members. Whoever takes it wipes it.
inline std::string take_into_object(SecretMembers members, std::string_view rest = {}) {
  constexpr std::size_t kLongestEscape = 6;
  std::size_t most = rest.size() + 3;
  for (const auto& [name, value] : members)
    most += std::string_view(name).size() + kLongestEscape * value->size() + 6;
  std::string out;
  out.reserve(most);
  for (const auto& [name, value] : members) {
    out += out.empty() ? '{' : ',';
    json::append_quoted(out, name);
    out += ':';
    json::append_quoted(out, *value);
    wipe_memory(value->data(), value->size());
  }
  if (!rest.empty()) out += ',';
  out += rest;
  out += '}';
  wipe_traces();
  return out;  // moved, where the value of += would be copied
}

}  // namespace keyturn::sdk

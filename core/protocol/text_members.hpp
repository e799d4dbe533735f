// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/json/json.hpp"

namespace keyturn::protocol {

/// Appends `"name":"value"` to an object under way; the first one opens it, and the caller closes it.
inline void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += out.empty() ? '{' : ',';
  json::append_quoted(out, name);
  out += ':';
  json::append_quoted(out, value);
}

}  // namespace keyturn::protocol

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/json/value.hpp"

// Reading of the loosely typed settings of a provider.
namespace keyturn::server {

/// The text member of that name; empty when it is absent or no text. Valid as long as the object.
[[nodiscard]] inline std::string_view text_at(const json::Object& settings, std::string_view name) {
  const json::Value* value = settings.find(name);
  return value == nullptr || value->as_string() == nullptr ? std::string_view()
                                                           : std::string_view(*value->as_string());
}

/// Whether the member is `true`; a script may have written it as text.
[[nodiscard]] inline bool flag_at(const json::Object& settings, std::string_view name) {
  const json::Value* value = settings.find(name);
  return value != nullptr &&
         ((value->as_bool() != nullptr && *value->as_bool()) || text_at(settings, name) == "true");
}

}  // namespace keyturn::server

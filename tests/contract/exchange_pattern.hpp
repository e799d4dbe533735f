// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/json/value.hpp"

namespace keyturn::contract {

using Names = std::map<std::string, std::string, std::less<>>;

/// Replaces every `${name}`. An unknown name stays, so that the comparison shows it.
[[nodiscard]] std::string substitute(std::string_view text, const Names& names);
/// The same in every string of a value, names of members too.
[[nodiscard]] json::Value substitute(const json::Value& value, const Names& names);

/// Where and how `actual` is not what `pattern` asks (README.md); empty when it is. `request_id`: for
/// `<link>`.
[[nodiscard]] std::string difference(const json::Value& pattern, const json::Value& actual,
                                     std::string_view request_id, const std::string& where = "body");

/// The value at "a.0.b", or null.
[[nodiscard]] const json::Value* value_at(const json::Value& value, std::string_view path);

}  // namespace keyturn::contract

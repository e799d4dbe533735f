// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include <keyturn/ejson.hpp>

#include "server/domain/apps/app_store.hpp"

namespace keyturn::server {

/// What `%%values` stands for in the rules of an app: its values by name, without those made from secrets.
/// `values`: the app's documents of that kind.
[[nodiscard]] Ejson rule_values(const std::vector<ConfigDocument>& values);

/// Whether a rule asks for them, so that they need not be read in vain.
[[nodiscard]] inline bool asks_for_values(std::string_view rule) {
  return rule.find("%%values") != std::string_view::npos;
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/rule_values.hpp"

#include <string>
#include <utility>

#include "core/json/json.hpp"

namespace keyturn::server {

Ejson rule_values(const std::vector<ConfigDocument>& values) {
  EjsonDocument out;
  for (const ConfigDocument& each : values) {
    const json::Value* value = each.value.find("value");
    const auto name = each.value.string_at("name");
    if (!name || value == nullptr || each.value.bool_at("from_secret").value_or(false)) continue;
    auto made = Ejson::parse(json::write(*value));
    if (made) out.set(std::string(*name), std::move(*made));
  }
  return out;
}

}  // namespace keyturn::server

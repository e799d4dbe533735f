// SPDX-License-Identifier: Apache-2.0
#include "server/functions/app_function_host.hpp"

#include "server/domain/refusal.hpp"

namespace keyturn::server::functions {
namespace {

json::Value undefined() { return json::Object{{"$undefined", true}}; }

}  // namespace

Result<json::Value> AppFunctionHost::call(const App& app, const std::optional<Principal>& caller,
                                          bool as_system, std::string_view method,
                                          const json::Array& arguments) {
  if (method == "values.get") {
    const std::string* name = arguments.empty() ? nullptr : arguments.front().as_string();
    return name == nullptr ? Result<json::Value>(undefined()) : value_of(app, *name);
  }
  if (next_ != nullptr) return next_->call(app, caller, as_system, method, arguments);
  if (method == "services.get") return json::Value(false);
  return refusal(ErrorCode::ServiceNotFound, "service not found");
}

Result<json::Value> AppFunctionHost::value_of(const App& app, std::string_view name) {
  auto all = apps_.documents(app.id, "values");
  if (!all) return all.error();
  for (const ConfigDocument& each : *all) {
    const json::Value* value = each.value.find("value");
    if (each.value.string_at("name") != name || value == nullptr) continue;
    if (!each.value.bool_at("from_secret").value_or(false)) return *value;
    if (value->as_string() == nullptr) return undefined();
    auto secret = apps_.secret_by_name(app.id, *value->as_string());
    if (!secret) return secret.error();
    return *secret ? json::Value((*secret)->reveal()) : undefined();
  }
  return undefined();
}

}  // namespace keyturn::server::functions

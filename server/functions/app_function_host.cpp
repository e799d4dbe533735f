// SPDX-License-Identifier: Apache-2.0
#include "server/functions/app_function_host.hpp"

#include <utility>

#include <keyturn/ejson.hpp>

#include "core/json/json.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/data/rule_values.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::functions {
namespace {

// As the admin API stores them (admin-api.md 6).
constexpr std::string_view kSettingsKind = "settings";
constexpr std::string_view kEnvironmentName = "environment";
// The name that an app without an environment has in its environment values.
constexpr std::string_view kNoEnvironment = "no-environment";
constexpr int kMaxDepth = 104;

json::Value undefined_value() { return json::Object{{"$undefined", true}}; }

/// Both types write the same Extended JSON, so text is the bridge between them.
Result<json::Value> value_of_ejson(const Ejson& value) {
  return json::parse(value.to_canonical(),
                     {std::size_t{20} * 1024 * 1024, kMaxDepth, json::DuplicateNames::refuse});
}

const std::string* text_at(const json::Array& arguments, std::size_t index) {
  return index < arguments.size() ? arguments[index].as_string() : nullptr;
}

}  // namespace

Result<json::Value> AppFunctionHost::call(const App& app, const std::optional<Principal>& caller,
                                          bool as_system, std::string_view method,
                                          const json::Array& arguments) {
  if (method == "context.get") return context_of(app, caller, as_system);
  if (method == "services.call") return call_service(app, caller, as_system, arguments);
  if (method == "values.all") {
    auto values = apps_.documents(app.id, "values");
    if (!values) return unavailable(values.error());
    return value_of_ejson(rule_values(*values));
  }
  if (method == "user.is_active") return is_active(app, caller);
  const std::string* name = text_at(arguments, 0);
  if (method == "services.get") {
    if (name == nullptr || data_ == nullptr) return json::Value(false);
    auto has = data_->has_service(app, *name);
    return has ? Result<json::Value>(*has) : Result<json::Value>(has.error());
  }
  if (method == "values.get")
    return name == nullptr ? Result<json::Value>(undefined_value()) : value_of(app, *name);
  return refusal(ErrorCode::BadRequest, "unknown method");
}

Result<json::Value> AppFunctionHost::is_active(const App& app, const std::optional<Principal>& caller) {
  if (!caller || users_ == nullptr) return json::Value(false);
  auto found = users_->find(app.id, caller->user_id);
  if (!found) return unavailable(found.error());
  return json::Value(*found && !(**found).disabled);
}

Result<json::Value> AppFunctionHost::value_of(const App& app, std::string_view name) {
  auto all = apps_.documents(app.id, "values");
  if (!all) return unavailable(all.error());
  for (const ConfigDocument& each : *all) {
    const json::Value* value = each.value.find("value");
    if (each.value.string_at("name") != name || value == nullptr) continue;
    if (!each.value.bool_at("from_secret").value_or(false)) return *value;
    if (value->as_string() == nullptr) return undefined_value();
    auto secret = apps_.secret_by_name(app.id, *value->as_string());
    if (!secret) return unavailable(secret.error());
    return *secret ? json::Value((*secret)->reveal()) : undefined_value();
  }
  return undefined_value();
}

Result<json::Value> AppFunctionHost::call_service(const App& app, const std::optional<Principal>& caller,
                                                  bool as_system, const json::Array& arguments) {
  const std::string* service = text_at(arguments, 0);
  const std::string* action = text_at(arguments, 1);
  if (service == nullptr || action == nullptr || arguments.size() < 3) {
    return refusal(ErrorCode::BadRequest, "a service call needs a service, an action and arguments");
  }
  if (data_ == nullptr) return refusal(ErrorCode::ServiceNotFound, "service not found: '" + *service + "'");
  auto given = Ejson::parse(json::write(arguments[2]));
  if (!given) return refusal(ErrorCode::BadRequest, given.error().message);
  const auto* document = given->get_if<EjsonDocument>();
  if (document == nullptr) return refusal(ErrorCode::BadRequest, "the arguments must be a document");
  auto result = data_->call(app, DataCaller{caller, as_system}, *service, *action, *document);
  if (!result) return result.error();
  return value_of_ejson(*result);
}

Result<json::Value> AppFunctionHost::context_of(const App& app, const std::optional<Principal>& caller,
                                                bool as_system) {
  auto environment = environment_of(app);
  if (!environment) return environment.error();
  json::Object context{{"environment", *std::move(environment)}};
  if (caller && users_ != nullptr) {
    auto user = user_of(app, *caller, as_system);
    if (!user) return user.error();
    if (!user->empty()) context.set("user", *std::move(user));
  }
  return json::Value(std::move(context));
}

/// Empty: there is no such user (a log-in under way, or one that was deleted meanwhile).
Result<json::Object> AppFunctionHost::user_of(const App& app, const Principal& caller, bool as_system) {
  auto found = users_->find(app.id, caller.user_id);
  if (!found) return unavailable(found.error());
  if (!*found) return json::Object();
  const User& user = **found;
  json::Array identities;
  for (const Identity& each : user.identities) {
    identities.push_back(json::Object{{"id", each.id}, {"provider_type", each.provider_type}});
  }
  json::Object out{{"id", user.id},
                   {"type", as_system                       ? "system"
                            : user.type == UserType::server ? "server"
                                                            : "normal"},
                   {"data", merged_profile_data(user)},
                   {"custom_data", json::Object()},
                   {"identities", std::move(identities)}};
  if (data_ == nullptr) return out;
  auto custom = data_->custom_user_data(app, user.id);
  if (!custom) return custom.error();
  if (*custom) {
    auto value = value_of_ejson(Ejson(**std::move(custom)));
    if (!value) return value.error();
    out.set("custom_data", *std::move(value));
  }
  return out;
}

Result<json::Object> AppFunctionHost::environment_of(const App& app) {
  auto stored = apps_.document(app.id, kSettingsKind, kEnvironmentName);
  if (!stored) return unavailable(stored.error());
  std::string tag = app.environment;
  if (*stored) tag = (*stored)->string_at("environment").value_or(tag);
  auto all = apps_.documents(app.id, "environment_values");
  if (!all) return unavailable(all.error());
  json::Object values;
  for (const ConfigDocument& each : *all) {
    const auto name = each.value.string_at("name");
    const json::Value* of_tags = each.value.find("values");
    if (!name || of_tags == nullptr) continue;
    const json::Value* value = of_tags->find(tag);
    if (value == nullptr && tag.empty()) value = of_tags->find(kNoEnvironment);
    if (value != nullptr) values.set(std::string(*name), *value);
  }
  return json::Object{{"tag", std::move(tag)}, {"values", std::move(values)}};
}

}  // namespace keyturn::server::functions

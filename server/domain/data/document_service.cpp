// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/document_service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/json.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/data/data_actions.hpp"
#include "server/domain/data/data_arguments.hpp"
#include "server/domain/data/rule_values.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/rules/rule_gate.hpp"

namespace keyturn::server {
namespace {

constexpr std::array<std::string_view, 3> kTypes{"mongodb-atlas", "mongodb", "mongodb-datafederation"};
constexpr std::size_t kLongestName = 255;

bool is_document_service(const json::Value& service, std::string_view name) {
  return service.string_at("name") == name &&
         std::find(kTypes.begin(), kTypes.end(), service.string_at("type").value_or("")) != kTypes.end();
}

Error no_service(std::string_view name) {
  return refusal(ErrorCode::ServiceNotFound, "service not found: '" + std::string(name) + "'");
}

Result<Ejson> as_ejson(const json::Value& value) {
  auto made = Ejson::parse(json::write(value));
  if (!made)
    return refusal(ErrorCode::NoMatchingRuleFound, "a rule is no Extended JSON, so it lets nobody in");
  return made;
}

bool may_write(std::string_view action) {
  return action != "find" && action != "findOne" && action != "aggregate" && action != "count" &&
         action != "distinct";
}

bool names(std::string_view text, std::string_view name) { return text.find(name) != std::string_view::npos; }

/// Rules may ask for more of the user than its id.
bool asks_who(std::string_view rule) {
  return names(rule, "%%user.data") || names(rule, "%%user.identities") || names(rule, "%%user.type") ||
         names(rule, "%%user\"");
}

}  // namespace

Result<std::optional<ConfigDocument>> DocumentService::find_service(std::string_view app_id,
                                                                    std::string_view service) {
  auto services = apps_.documents(app_id, "services");
  if (!services) return unavailable(services.error());
  for (ConfigDocument& each : *services) {
    if (is_document_service(each.value, service)) return std::optional(std::move(each));
  }
  return std::optional<ConfigDocument>();
}

Result<DocumentService::Store> DocumentService::store_of(std::string_view app_id, std::string_view service_id,
                                                         const json::Value& service) {
  if (linked_ != nullptr) {
    auto store = linked_->store_of(app_id, service_id, service);
    if (!store || *store) return store;
  }
  return Store(&documents_, [](DocumentStore*) {});
}

Result<DocumentService::Store> DocumentService::store_for(const CollectionName& where) {
  auto service = find_service(where.app_id, where.service);
  if (!service) return service.error();
  if (!*service) return no_service(where.service);
  return store_of(where.app_id, (*service)->id, (*service)->value);
}

Result<std::vector<IndexDefinition>> DocumentService::indexes(const CollectionName& where) {
  auto store = store_for(where);
  if (!store) return store.error();
  return (*store)->indexes(where);
}

Result<void> DocumentService::create_index(const CollectionName& where, const IndexDefinition& index) {
  auto store = store_for(where);
  if (!store) return store.error();
  return (*store)->create_index(where, index);
}

Result<bool> DocumentService::drop_index(const CollectionName& where, std::string_view name) {
  auto store = store_for(where);
  if (!store) return store.error();
  return (*store)->drop_index(where, name);
}

Result<bool> DocumentService::has_service(const App& app, std::string_view service) {
  auto found = find_service(app.id, service);
  if (!found) return found.error();
  return found->has_value();
}

Result<Ejson> DocumentService::rule_of(const App& app, std::string_view service_id, std::string_view database,
                                       std::string_view collection) {
  auto rules = apps_.documents(app.id, "rules/" + std::string(service_id));
  if (!rules) return unavailable(rules.error());
  for (const ConfigDocument& each : *rules) {
    if (each.value.string_at("database") == database && each.value.string_at("collection") == collection) {
      return as_ejson(each.value);
    }
  }
  auto otherwise = apps_.document(app.id, "default_rules", service_id);
  if (!otherwise) return unavailable(otherwise.error());
  if (*otherwise) return as_ejson(**otherwise);
  return data::built_in_rule();
}

Result<Ejson> DocumentService::user_facts(const App& app, const DataCaller& caller,
                                          std::string_view rule_text) {
  if (!caller.principal) return Ejson();
  const std::string& id = caller.principal->user_id;
  EjsonDocument facts{{"id", id}, {"type", "normal"}};
  if (asks_who(rule_text)) {
    auto user = users_.find(app.id, id);
    if (!user) return unavailable(user.error());
    if (!*user) return Ejson();
    facts.set("type", (*user)->type == UserType::server ? "server" : "normal");
    auto data = as_ejson(merged_profile_data(**user));
    if (!data) return data;
    facts.set("data", std::move(*data));
    EjsonArray identities;
    for (const Identity& each : (*user)->identities) {
      identities.emplace_back(EjsonDocument{{"id", each.id}, {"provider_type", each.provider_type}});
    }
    facts.set("identities", std::move(identities));
  }
  if (names(rule_text, "%%user.custom_data") || names(rule_text, "%%user\"")) {
    auto custom = custom_user_data(app, id);
    if (!custom) return custom.error();
    facts.set("custom_data", custom->value_or(EjsonDocument()));
  }
  return Ejson(std::move(facts));
}

Result<DocumentService::Gate> DocumentService::gate_for(const App& app, const DataCaller& caller,
                                                        std::string_view service_id,
                                                        std::string_view database,
                                                        std::string_view collection) {
  if (caller.is_system) return Gate();
  auto rule = rule_of(app, service_id, database, collection);
  if (!rule) return rule.error();
  const std::string text = rule->to_relaxed();
  data::CallerFacts facts;
  auto user = user_facts(app, caller, text);
  if (!user) return user.error();
  facts.user = std::move(*user);
  if (asks_for_values(text)) {
    auto values = apps_.documents(app.id, "values");
    if (!values) return unavailable(values.error());
    facts.values = rule_values(*values);
  }
  facts.environment = EjsonDocument{{"tag", app.environment}};
  return data::make_rule_gate(*rule, std::move(facts));
}

Result<std::optional<data::DocumentSchema>> DocumentService::schema_of(const App& app,
                                                                       std::string_view service,
                                                                       std::string_view service_id,
                                                                       std::string_view database,
                                                                       std::string_view collection) {
  const json::Value* found = nullptr;
  auto schemas = apps_.documents(app.id, "schemas");
  if (!schemas) return unavailable(schemas.error());
  for (const ConfigDocument& each : *schemas) {
    const json::Value* of = each.value.find("metadata");
    if (of != nullptr && of->string_at("data_source") == service && of->string_at("database") == database &&
        of->string_at("collection") == collection)
      found = each.value.find("schema");
  }
  auto rules = apps_.documents(app.id, "rules/" + std::string(service_id));
  if (!rules) return unavailable(rules.error());
  for (const ConfigDocument& each : *rules) {
    if (found == nullptr && each.value.string_at("database") == database &&
        each.value.string_at("collection") == collection)
      found = each.value.find("schema");
  }
  if (found == nullptr || found->is_null()) return std::optional<data::DocumentSchema>();
  auto text = as_ejson(*found);
  if (!text) return text.error();
  auto schema = data::DocumentSchema::compile(*text);
  if (!schema) return schema.error();
  return std::optional<data::DocumentSchema>(std::move(*schema));
}

Result<Ejson> DocumentService::call(const App& app, const DataCaller& caller, std::string_view service,
                                    std::string_view action, const EjsonDocument& arguments) {
  DataArguments where_text(arguments);
  auto found = find_service(app.id, service);
  if (!found) return found.error();
  if (!*found) return no_service(service);
  const std::string& service_id = (*found)->id;
  const std::string_view database = where_text.text("database");
  const std::string_view collection = where_text.text("collection");
  if (where_text.fault()) return *where_text.fault();
  if (database.size() > kLongestName || collection.size() > kLongestName) {
    return refusal(ErrorCode::BadRequest, "a name of a database or collection is too long");
  }
  auto gate = gate_for(app, caller, service_id, database, collection);
  if (!gate) return gate.error();
  if (*gate != nullptr && may_write(action)) {
    auto schema = schema_of(app, service, service_id, database, collection);
    if (!schema) return schema.error();
    if (*schema) *gate = data::with_schema(std::move(*gate), std::move(**schema));
  }
  auto store = store_of(app.id, service_id, (*found)->value);
  if (!store) return store.error();
  const CollectionName where{app.id, std::string(service), std::string(database), std::string(collection)};
  return run_data_action(
      {**store, where, gate->get(),
       [&](const std::string& other) { return gate_for(app, caller, service_id, where.database, other); }},
      action, arguments);
}

}  // namespace keyturn::server

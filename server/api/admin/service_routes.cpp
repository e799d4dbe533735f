// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "server/api/documents.hpp"
#include "server/api/routes.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/refusal.hpp"

// Linked services with their configuration and rules, kept as they came (admin-api.md 7).
namespace keyturn::server::api {
namespace {

constexpr std::string_view kServices = "services";
constexpr std::string_view kDefaultRules = "default_rules";

const std::string& service_id_of(const Call& call) { return call.arguments[2]; }
std::string rules_kind(const Call& call) { return "rules/" + service_id_of(call); }

json::Object service_summary(const json::Object& service) {
  json::Object out;
  for (const std::string_view name : {"_id", "name", "type", "version", "last_modified"}) {
    if (const json::Value* value = service.find(name); value != nullptr) out.set(std::string(name), *value);
  }
  return out;
}

Result<void> must_exist(Call& call) {
  auto service = stored_document(call, kServices, service_id_of(call));
  if (!service) return service.error();
  return {};
}

Result<Answer> list_services(Call& call) {
  auto services = call.services.apps.documents(call.app_id(), kServices);
  if (!services) return services.error();
  json::Array out;
  for (const ConfigDocument& each : *services) {
    if (each.value.as_object() != nullptr) out.emplace_back(service_summary(*each.value.as_object()));
  }
  return json_answer(std::move(out));
}

Result<Answer> create_service(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  if (auto type = required_text(call.members(), "type"); !type) return type.error();
  auto known = call.services.apps.documents(call.app_id(), kServices);
  if (!known) return known.error();
  const bool is_taken = std::any_of(known->begin(), known->end(), [&](const ConfigDocument& each) {
    return each.value.string_at("name") == *name;
  });
  if (is_taken) return refusal(ErrorCode::ServiceAlreadyExists, "service already exists");
  json::Object service = call.members();
  if (const json::Value* version = service.find("version");
      version == nullptr || version->as_int() == nullptr) {
    service.set("version", 1);
  }
  service.set("last_modified", unix_seconds(call.started));
  auto id = call.services.apps.add_document(call.app_id(), kServices, service);
  if (!id) return id.error();
  service.set("_id", *id);
  return json_answer(service_summary(service), 201);
}

Result<Answer> get_service(Call& call) {
  auto service = stored_document(call, kServices, service_id_of(call));
  if (!service) return service.error();
  return json_answer(service_summary(*service));
}

Result<Answer> remove_service(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto removed = call.services.apps.remove_document(call.app_id(), kServices, service_id_of(call));
  if (!removed) return removed.error();
  if (!*removed) return document_not_found(kServices);
  return no_content();
}

Result<Answer> get_service_config(Call& call) {
  auto service = stored_document(call, kServices, service_id_of(call));
  if (!service) return service.error();
  const json::Value* config = service->find("config");
  return json_answer(config != nullptr && config->as_object() != nullptr ? *config
                                                                         : json::Value(json::Object()));
}

Result<Answer> patch_service_config(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto service = stored_document(call, kServices, service_id_of(call));
  if (!service) return service.error();
  const json::Value* stored = service->find("config");
  json::Object config =
      stored != nullptr && stored->as_object() != nullptr ? *stored->as_object() : json::Object();
  for (const auto& [name, value] : call.members()) config.set(name, value);
  service->set("config", std::move(config));
  service->set("last_modified", unix_seconds(call.started));
  return no_content_of(
      call.services.apps.put_document(call.app_id(), kServices, service_id_of(call), *std::move(service)));
}

Error no_default_rule() {
  return refusal(ErrorCode::AppUnknownError, 404, "default rule does not exist on service");
}

Result<Answer> get_default_rule(Call& call) {
  auto rule = call.services.apps.document(call.app_id(), kDefaultRules, service_id_of(call));
  if (!rule) return rule.error();
  if (!*rule) return no_default_rule();
  return json_answer(std::move(**rule));
}

Result<Answer> create_default_rule(Call& call) {
  const auto turn = call.services.apps.take_turn();
  if (auto known = must_exist(call); !known) return known.error();
  auto rule = call.services.apps.document(call.app_id(), kDefaultRules, service_id_of(call));
  if (!rule) return rule.error();
  if (*rule) return refusal(ErrorCode::AppUnknownError, 400, "default rule already exists");
  json::Object document{{"_id", new_object_id(call.started)}};
  for (const auto& [name, value] : call.members()) {
    if (name != "_id") document.set(name, value);
  }
  auto stored = call.services.apps.put_document(call.app_id(), kDefaultRules, service_id_of(call), document);
  if (!stored) return stored.error();
  return json_answer(std::move(document), 201);
}

Result<Answer> put_default_rule(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto rule = call.services.apps.document(call.app_id(), kDefaultRules, service_id_of(call));
  if (!rule) return rule.error();
  if (!*rule) return no_default_rule();
  json::Object document = call.members();
  if (const json::Value* id = (*rule)->find("_id"); id != nullptr) document.set("_id", *id);
  return no_content_of(call.services.apps.put_document(call.app_id(), kDefaultRules, service_id_of(call),
                                                       std::move(document)));
}

Result<Answer> remove_default_rule(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto removed = call.services.apps.remove_document(call.app_id(), kDefaultRules, service_id_of(call));
  if (!removed) return removed.error();
  if (!*removed) return no_default_rule();
  return no_content();
}

Result<Answer> list_rules(Call& call) {
  if (auto known = must_exist(call); !known) return known.error();
  auto rules = call.services.apps.documents(call.app_id(), rules_kind(call));
  if (!rules) return rules.error();
  json::Array out;
  for (ConfigDocument& each : *rules) out.push_back(std::move(each.value));
  return json_answer(std::move(out));
}

Result<Answer> create_rule(Call& call) {
  const auto turn = call.services.apps.take_turn();
  if (auto known = must_exist(call); !known) return known.error();
  auto id = call.services.apps.add_document(call.app_id(), rules_kind(call), call.members());
  if (!id) return id.error();
  json::Object document = call.members();
  document.set("_id", *id);
  return json_answer(std::move(document), 201);
}

Result<Answer> get_rule(Call& call) {
  auto rule = stored_document(call, rules_kind(call), call.arguments[3]);
  if (!rule) return rule.error();
  return json_answer(*std::move(rule));
}

Result<Answer> put_rule(Call& call) {
  const auto turn = call.services.apps.take_turn();
  const std::string kind = rules_kind(call);
  if (auto known = stored_document(call, kind, call.arguments[3]); !known) return known.error();
  json::Object document = call.members();
  document.set("_id", call.arguments[3]);
  return no_content_of(
      call.services.apps.put_document(call.app_id(), kind, call.arguments[3], std::move(document)));
}

Result<Answer> remove_rule(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto removed = call.services.apps.remove_document(call.app_id(), rules_kind(call), call.arguments[3]);
  if (!removed) return removed.error();
  if (!*removed) return document_not_found("rules");
  return no_content();
}

}  // namespace

const std::vector<Route>& admin_service_routes() {
  using protocol::Lane;
  constexpr Lane kLane = Lane::storage;
  constexpr Auth kAuth = Auth::admin;
  constexpr Body kNone = Body::ignored;
  constexpr Body kObject = Body::admin_object;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/services", kLane, kAuth, kNone, list_services},
      {"POST", "/groups/{}/apps/{}/services", kLane, kAuth, kObject, create_service},
      {"GET", "/groups/{}/apps/{}/services/{}", kLane, kAuth, kNone, get_service},
      {"DELETE", "/groups/{}/apps/{}/services/{}", kLane, kAuth, kNone, remove_service},
      {"GET", "/groups/{}/apps/{}/services/{}/config", kLane, kAuth, kNone, get_service_config},
      {"PATCH", "/groups/{}/apps/{}/services/{}/config", kLane, kAuth, kObject, patch_service_config},
      {"GET", "/groups/{}/apps/{}/services/{}/default_rule", kLane, kAuth, kNone, get_default_rule},
      {"POST", "/groups/{}/apps/{}/services/{}/default_rule", kLane, kAuth, kObject, create_default_rule},
      {"PUT", "/groups/{}/apps/{}/services/{}/default_rule", kLane, kAuth, kObject, put_default_rule},
      {"DELETE", "/groups/{}/apps/{}/services/{}/default_rule", kLane, kAuth, kNone, remove_default_rule},
      {"GET", "/groups/{}/apps/{}/services/{}/rules", kLane, kAuth, kNone, list_rules},
      {"POST", "/groups/{}/apps/{}/services/{}/rules", kLane, kAuth, kObject, create_rule},
      {"GET", "/groups/{}/apps/{}/services/{}/rules/{}", kLane, kAuth, kNone, get_rule},
      {"PUT", "/groups/{}/apps/{}/services/{}/rules/{}", kLane, kAuth, kObject, put_rule},
      {"DELETE", "/groups/{}/apps/{}/services/{}/rules/{}", kLane, kAuth, kNone, remove_rule},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

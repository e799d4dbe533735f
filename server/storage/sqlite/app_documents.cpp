// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/rows.hpp"

namespace keyturn::server::sqlite {
namespace {

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }
std::int64_t number(std::chrono::seconds span) { return span.count(); }

// Readers keep a member's default when the document, written by an older version, does not have it.
void read(const json::Value& from, std::string_view name, std::string& to) {
  if (const auto value = from.string_at(name)) to = *value;
}
void read(const json::Value& from, std::string_view name, bool& to) {
  if (const auto value = from.bool_at(name)) to = *value;
}
void read(const json::Value& from, std::string_view name, std::chrono::seconds& to) {
  if (const auto value = from.int_at(name)) to = std::chrono::seconds(*value);
}
void read(const json::Value& from, std::string_view name, WallTime& to) {
  if (const auto value = from.int_at(name)) to = WallTime(WallTime::duration(*value));
}
void read(const json::Value& from, std::string_view name, json::Object& to) {
  const json::Value* value = from.find(name);
  if (value != nullptr && value->as_object() != nullptr) to = *value->as_object();
}
void read(const json::Value& from, std::string_view name, json::Array& to) {
  const json::Value* value = from.find(name);
  if (value != nullptr && value->as_array() != nullptr) to = *value->as_array();
}

}  // namespace

json::Value to_document(const App& app) {
  json::Object out;
  out.set("id", app.id);
  out.set("client_app_id", app.client_app_id);
  out.set("name", app.name);
  out.set("group_id", app.group_id);
  out.set("domain_id", app.domain_id);
  out.set("location", app.location);
  out.set("provider_region", app.provider_region);
  out.set("deployment_model", app.deployment_model);
  out.set("environment", app.environment);
  out.set("is_admin_realm", app.is_admin_realm);
  out.set("created", number(app.created));
  out.set("last_modified", number(app.last_modified));
  out.set("access_lifetime", number(app.tokens.access_lifetime));
  out.set("refresh_lifetime", number(app.tokens.refresh_lifetime));
  if (app.tokens.refresh_idle) out.set("refresh_idle", number(*app.tokens.refresh_idle));
  out.set("access_algorithm", app.tokens.access_algorithm == jwt::Algorithm::hs256 ? "HS256" : "ES256");
  json::Array origins;
  for (const std::string& each : app.allowed_request_origins) origins.emplace_back(each);
  out.set("allowed_request_origins", std::move(origins));
  out.set("end_sessions_on_password_change", app.end_sessions_on_password_change);
  out.set("require_bound_sessions", app.require_bound_sessions);
  out.set("least_password_characters", static_cast<std::int64_t>(app.passwords.least_characters));
  out.set("refuse_common_passwords", app.passwords.refuse_common);
  out.set("anonymous_user_lifetime", number(app.anonymous_user_lifetime));
  out.set("user_creation_function", app.user_creation_function);
  if (app.user_data) {
    out.set("user_data", json::Object{{"service_id", app.user_data->service_id},
                                      {"database", app.user_data->database},
                                      {"collection", app.user_data->collection},
                                      {"user_id_field", app.user_data->user_id_field},
                                      {"in_access_token", app.user_data->in_access_token}});
  }
  return out;
}

App app_from(const json::Value& document) {
  App out;
  read(document, "id", out.id);
  read(document, "client_app_id", out.client_app_id);
  read(document, "name", out.name);
  read(document, "group_id", out.group_id);
  read(document, "domain_id", out.domain_id);
  read(document, "location", out.location);
  read(document, "provider_region", out.provider_region);
  read(document, "deployment_model", out.deployment_model);
  read(document, "environment", out.environment);
  read(document, "user_creation_function", out.user_creation_function);
  if (const json::Value* source = document.find("user_data"); source != nullptr) {
    UserDataSource& data = out.user_data.emplace();
    read(*source, "service_id", data.service_id);
    read(*source, "database", data.database);
    read(*source, "collection", data.collection);
    read(*source, "user_id_field", data.user_id_field);
    read(*source, "in_access_token", data.in_access_token);
  }
  read(document, "is_admin_realm", out.is_admin_realm);
  read(document, "created", out.created);
  read(document, "last_modified", out.last_modified);
  read(document, "access_lifetime", out.tokens.access_lifetime);
  read(document, "refresh_lifetime", out.tokens.refresh_lifetime);
  if (const auto idle = document.int_at("refresh_idle"))
    out.tokens.refresh_idle = std::chrono::seconds(*idle);
  if (document.string_at("access_algorithm") == "HS256") out.tokens.access_algorithm = jwt::Algorithm::hs256;
  json::Array origins;
  read(document, "allowed_request_origins", origins);
  for (const json::Value& each : origins) {
    if (const std::string* text = each.as_string()) out.allowed_request_origins.push_back(*text);
  }
  read(document, "end_sessions_on_password_change", out.end_sessions_on_password_change);
  read(document, "require_bound_sessions", out.require_bound_sessions);
  if (const auto least = document.int_at("least_password_characters"); least && *least > 0)
    out.passwords.least_characters = static_cast<std::size_t>(*least);
  read(document, "refuse_common_passwords", out.passwords.refuse_common);
  read(document, "anonymous_user_lifetime", out.anonymous_user_lifetime);
  return out;
}

json::Value to_document(const AuthProvider& provider) {
  json::Object out;
  out.set("id", provider.id);
  out.set("app_id", provider.app_id);
  out.set("type", provider.type);
  out.set("name", provider.name);
  out.set("disabled", provider.disabled);
  out.set("config", provider.config);
  out.set("secret_config", provider.secret_config);
  out.set("metadata_fields", provider.metadata_fields);
  out.set("redirect_uris", provider.redirect_uris);
  return out;
}

AuthProvider provider_from(const json::Value& document) {
  AuthProvider out;
  read(document, "id", out.id);
  read(document, "app_id", out.app_id);
  read(document, "type", out.type);
  read(document, "name", out.name);
  read(document, "disabled", out.disabled);
  read(document, "config", out.config);
  read(document, "secret_config", out.secret_config);
  read(document, "metadata_fields", out.metadata_fields);
  read(document, "redirect_uris", out.redirect_uris);
  return out;
}

}  // namespace keyturn::server::sqlite

// SPDX-License-Identifier: Apache-2.0
#include "server/api/render.hpp"

#include <algorithm>
#include <utility>

#include "server/api/call.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/sessions/session_family.hpp"

namespace keyturn::server::api {
namespace {

std::vector<protocol::ProfileIdentity> identities_of(const User& user) {
  std::vector<protocol::ProfileIdentity> out;
  for (const Identity& each : user.identities) out.push_back({each.id, each.provider_type, each.provider_id});
  return out;
}

std::string type_of(const User& user) { return user.type == UserType::server ? "server" : "normal"; }

std::string_view name_of(jwt::Algorithm algorithm) {
  return algorithm == jwt::Algorithm::hs256 ? "HS256" : "ES256";
}

}  // namespace

std::string render_login(LoginTokens tokens) {
  return protocol::write_login_response({std::move(tokens.access_token), std::move(tokens.refresh_token),
                                         std::move(tokens.user_id), std::move(tokens.device_id)});
}

protocol::Profile profile_of(const AppView& app, const User& user) {
  return {user.id, app.app.domain_id, identities_of(user), merged_profile_data(user), type_of(user)};
}

protocol::SessionMessage session_message(const Session& session) {
  protocol::SessionMessage out;
  out.id = session.id;
  out.provider_type = session.provider_type;
  out.device_id = session.device_id;
  out.device = session.device;
  out.device.erase(kLinkedFrom);
  out.created = session.created;
  out.last_used = session.last_used;
  out.expires = session.refresh_expires;
  return out;
}

protocol::ApiKeyMessage key_message(const ApiKey& key) { return {key.id, key.name, key.disabled, Secret()}; }

std::vector<protocol::ApiKeyMessage> key_messages(const std::vector<ApiKey>& keys) {
  std::vector<protocol::ApiKeyMessage> out;
  out.reserve(keys.size());
  for (const ApiKey& key : keys) out.push_back(key_message(key));
  return out;
}

protocol::ApiKeyMessage new_key_message(NewApiKey made) {
  protocol::ApiKeyMessage out = key_message(made.key);
  out.key = std::move(made.value);
  return out;
}

json::Object app_to_json(const App& app) {
  return {{"_id", app.id},
          {"client_app_id", app.client_app_id},
          {"name", app.name},
          {"location", app.location},
          {"provider_region", app.provider_region},
          {"deployment_model", app.deployment_model},
          {"domain_id", app.domain_id},
          {"group_id", app.group_id},
          {"last_used", unix_seconds(app.last_modified)},
          {"last_modified", unix_seconds(app.last_modified)},
          {"product", "standard"},
          {"environment", app.environment}};
}

json::Object user_to_json(const User& user) {
  return {{"_id", user.id},
          {"identities", protocol::identities_to_json(identities_of(user))},
          {"type", type_of(user)},
          {"creation_date", unix_seconds(user.created)},
          {"last_authentication_date", unix_seconds(user.last_authentication)},
          {"disabled", user.disabled},
          {"data", merged_profile_data(user)}};
}

json::Object device_to_json(const Device& device) {
  json::Object out{{"_id", device.id}};
  for (const auto& [name, value] : device.data) {
    if (name != "_id" && name != kLinkedFrom) out.set(name, value);
  }
  return out;
}

json::Object provider_to_json(const AuthProvider& provider, bool whole) {
  json::Object out{{"_id", provider.id},
                   {"name", provider.name},
                   {"type", provider.type},
                   {"disabled", provider.disabled}};
  if (!whole) return out;
  out.set("config", provider.config);
  out.set("secret_config", provider.secret_config);
  out.set("metadata_fields", provider.metadata_fields);
  out.set("redirect_uris", provider.redirect_uris);
  return out;
}

json::Object token_settings_to_json(const TokenSettings& settings) {
  json::Value idle;
  if (settings.refresh_idle) idle = json::Value(static_cast<std::int64_t>(settings.refresh_idle->count()));
  return {{"access_token_lifetime_seconds", static_cast<std::int64_t>(settings.access_lifetime.count())},
          {"refresh_token_lifetime_seconds", static_cast<std::int64_t>(settings.refresh_lifetime.count())},
          {"refresh_token_idle_seconds", std::move(idle)},
          {"access_token_algorithm", name_of(settings.access_algorithm)}};
}

}  // namespace keyturn::server::api

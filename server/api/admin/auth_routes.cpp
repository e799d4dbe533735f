// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/protocol/messages.hpp"
#include "server/api/call.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Administrators log in as users of the admin realm (admin-api.md 1).
namespace keyturn::server::api {
namespace {

Result<std::shared_ptr<const AppView>> realm_of(const Call& call) {
  auto realm = call.services.directory.admin_realm();
  if (realm == nullptr) return refusal(ErrorCode::ServiceUnavailable, "there is no admin realm");
  return realm;
}

const json::Object* device_of(const json::Object& members) {
  const json::Value* options = members.find("options");
  const json::Value* device = options == nullptr ? nullptr : options->find("device");
  return device == nullptr ? nullptr : device->as_object();
}

Result<Answer> log_in_admin_with(Call& call, const AppView& realm, std::string_view provider,
                                 json::Object credentials) {
  auto tokens = call.services.sessions.log_in(realm, provider, credentials, device_of(call.members()), {},
                                              &call.origin);
  if (!tokens) return tokens.error();
  return text_answer(render_login(*std::move(tokens)));
}

Result<Answer> log_in_admin_with_password(Call& call) {
  auto realm = realm_of(call);
  if (!realm) return realm.error();
  auto username = required_text(call.members(), "username");
  if (!username) return username.error();
  auto password = required_text(call.members(), "password");
  if (!password) return password.error();
  return log_in_admin_with(call, **realm, "local-userpass",
                           {{"username", *username}, {"password", *password}});
}

/// The pair that set-up scripts have: the name and value of an API key of the admin realm, or an
/// administrator's address and password.
Result<Answer> log_in_with_key_pair(Call& call) {
  auto realm = realm_of(call);
  if (!realm) return realm.error();
  auto username = required_text(call.members(), "username");
  if (!username) return username.error();
  auto key = required_text(call.members(), "apiKey");
  if (!key) return key.error();
  auto known = call.services.api_keys.list_server_keys(**realm);
  if (!known) return known.error();
  const bool is_key = std::any_of(known->begin(), known->end(), [&](const ApiKey& each) {
    return each.name == *username && crypto::constant_time_equal(each.key_hash, hash_of_api_key(*key));
  });
  if (is_key) return log_in_admin_with(call, **realm, "api-key", {{"key", *key}});
  return log_in_admin_with(call, **realm, "local-userpass", {{"username", *username}, {"password", *key}});
}

Result<Answer> list_log_ins(Call& call) {
  auto realm = realm_of(call);
  if (!realm) return realm.error();
  json::Array out;
  for (const std::string_view type : {"local-userpass", "mongodb-cloud"}) {
    out.emplace_back(json::Object{{"name", type}, {"type", type}, {"disabled", false}});
  }
  return json_answer(std::move(out));
}

/// A token of another app has no business here, however good it is there.
Result<void> must_be_administrators(const Call& call) {
  auto token = check_token(call.services.directory, call.bearer);
  if (token && !token->app->app.is_admin_realm) return session_over("unauthorized");
  return {};
}

Result<Answer> refresh_admin(Call& call) {
  if (auto checked = must_be_administrators(call); !checked) return checked.error();
  auto token = call.services.sessions.refresh(call.bearer);
  if (!token) return token.error();
  return text_answer(protocol::write_session_response({*std::move(token)}), 201);
}

Result<Answer> log_out_admin(Call& call) {
  if (auto checked = must_be_administrators(call); !checked) return checked.error();
  return no_content_of(call.services.sessions.log_out(call.bearer));
}

Result<Answer> admin_profile(Call& call) {
  const Caller& caller = *call.caller;
  auto user = call.services.users.get(caller.app->app.id, caller.principal.user_id);
  if (!user) return user.error();
  protocol::Profile who = profile_of(*caller.app, *user);
  if (const json::Value* email = who.data.find("email"); email != nullptr && !who.data.contains("name")) {
    who.data.set("name", json::Value(*email));
  }
  json::Object out = protocol::to_json(who);
  out.set("roles", json::Array{json::Object{{"role_name", "GROUP_OWNER"},
                                            {"group_id", call.services.apps.group_id()}}});
  return json_answer(std::move(out));
}

// API keys of the admin realm: for programs that administer (Keyturn's own).

Result<Answer> create_admin_key(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  auto made = call.services.api_keys.create_server_key(*call.caller->app, *name);
  if (!made) return made.error();
  return text_answer(protocol::write_api_key(new_key_message(*std::move(made))), 201);
}

Result<Answer> list_admin_keys(Call& call) {
  auto keys = call.services.api_keys.list_server_keys(*call.caller->app);
  if (!keys) return keys.error();
  return text_answer(protocol::write_api_keys(key_messages(*keys)));
}

Result<Answer> remove_admin_key(Call& call) {
  return no_content_of(call.services.api_keys.remove_server_key(*call.caller->app, call.arguments[0]));
}

}  // namespace

const std::vector<Route>& admin_auth_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/auth/providers", Lane::immediate, Auth::none, Body::ignored, list_log_ins},
      {"POST", "/auth/providers/local-userpass/login", Lane::password, Auth::none, Body::admin_object,
       log_in_admin_with_password},
      {"POST", "/auth/providers/mongodb-cloud/login", Lane::password, Auth::none, Body::admin_object,
       log_in_with_key_pair},
      {"POST", "/auth/session", Lane::immediate, Auth::admin_session, Body::ignored, refresh_admin},
      {"DELETE", "/auth/session", Lane::storage, Auth::admin_session, Body::ignored, log_out_admin},
      {"GET", "/auth/profile", Lane::immediate, Auth::admin, Body::ignored, admin_profile},
      {"GET", "/auth/api_keys", Lane::storage, Auth::admin, Body::ignored, list_admin_keys},
      {"POST", "/auth/api_keys", Lane::storage, Auth::admin, Body::admin_object, create_admin_key},
      {"DELETE", "/auth/api_keys/{}", Lane::storage, Auth::admin, Body::ignored, remove_admin_key},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

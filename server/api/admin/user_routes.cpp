// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <utility>

#include "core/protocol/messages.hpp"
#include "server/api/call.hpp"
#include "server/api/push_registrations.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Users, their devices and sessions, and the check of a token (admin-api.md 3).
namespace keyturn::server::api {
namespace {

const std::string& user_id_of(const Call& call) { return call.arguments[2]; }

Result<Answer> list_users(Call& call) {
  PageRequest page;
  page.after = call.parameter("after").value_or("");
  page.descending = call.parameter("desc") == "true";
  auto users = call.services.users.list(call.app_id(), page);
  if (!users) return users.error();
  json::Array out;
  for (const User& user : *users) out.emplace_back(user_to_json(user));
  return json_answer(std::move(out));
}

Result<Answer> create_user(Call& call) {
  auto email = required_text(call.members(), "email");
  if (!email) return email.error();
  auto password = required_text(call.members(), "password");
  if (!password) return password.error();
  auto user = call.services.passwords.create_confirmed(*call.app, *email, *password);
  if (!user) return user.error();
  return json_answer(user_to_json(*user), 201);
}

Result<Answer> get_user(Call& call) {
  auto user = call.services.users.get(call.app_id(), user_id_of(call));
  if (!user) return user.error();
  return json_answer(user_to_json(*user));
}

Result<Answer> remove_user(Call& call) {
  auto removed = call.services.users.remove(call.app_id(), user_id_of(call));
  if (removed) forget_push_registrations(call, user_id_of(call));
  return no_content_of(removed);
}

Result<Answer> reset_email(Call& call) {
  auto email = required_text(call.members(), "email");
  if (!email) return email.error();
  return no_content_of(call.services.passwords.change_email(*call.app, user_id_of(call), *email));
}

Result<Answer> devices(Call& call) {
  if (auto user = call.services.users.get(call.app_id(), user_id_of(call)); !user) return user.error();
  auto found = call.services.session_store.devices(call.app_id(), user_id_of(call));
  if (!found) return found.error();
  json::Array out;
  for (const Device& device : *found) out.emplace_back(device_to_json(device));
  return json_answer(std::move(out));
}

Result<Answer> revoke_all(Call& call) {
  if (auto user = call.services.users.get(call.app_id(), user_id_of(call)); !user) return user.error();
  auto ended = call.services.sessions.revoke_all(call.app_id(), user_id_of(call), {});
  if (!ended) return ended.error();
  return no_content();
}

Result<Answer> enable_user(Call& call) {
  return no_content_of(call.services.users.set_disabled(call.app_id(), user_id_of(call), false));
}

Result<Answer> disable_user(Call& call) {
  return no_content_of(call.services.users.set_disabled(call.app_id(), user_id_of(call), true));
}

Result<Answer> list_user_sessions(Call& call) {
  if (auto user = call.services.users.get(call.app_id(), user_id_of(call)); !user) return user.error();
  auto sessions = call.services.sessions.list(call.app_id(), user_id_of(call));
  if (!sessions) return sessions.error();
  std::vector<protocol::SessionMessage> out;
  for (const Session& each : *sessions) out.push_back(session_message(each));
  return text_answer(protocol::write_sessions(out));
}

Result<Answer> end_user_session(Call& call) {
  auto ended = call.services.sessions.revoke(call.app_id(), user_id_of(call), call.arguments[3]);
  if (!ended) return ended.error();
  if (!*ended) return refusal(ErrorCode::AppUnknownError, 404, "session not found");
  return no_content();
}

/// Signature and expiry only: a token of an ended session is still told to be valid (decisions.md).
Result<Answer> verify_token(Call& call) {
  auto token = required_text(call.members(), "token");
  if (!token) return token.error();
  auto checked = check_token(call.services.directory, *token);
  const bool is_ours =
      checked && checked->app->app.id == call.app_id() && checked->claims.type == TokenType::access;
  if (!is_ours) return session_over("invalid session");
  const TokenClaims& claims = checked->claims;
  if (call.started >= claims.expires_at) return json_answer("token expired");
  json::Object out{{"sub", claims.user_id},
                   {"exp", unix_seconds(claims.expires_at)},
                   {"iat", unix_seconds(claims.issued_at)},
                   {"iss", claims.session_id},
                   {"domain_id", claims.domain_id},
                   {"device_id", claims.device_id}};
  if (!claims.user_data.empty()) out.set("custom_user_data", claims.user_data);
  return json_answer(std::move(out));
}

}  // namespace

const std::vector<Route>& admin_user_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/users", Lane::storage, Auth::admin, Body::ignored, list_users},
      {"POST", "/groups/{}/apps/{}/users", Lane::password, Auth::admin, Body::admin_object, create_user},
      {"POST", "/groups/{}/apps/{}/users/verify_token", Lane::immediate, Auth::admin, Body::admin_object,
       verify_token},
      {"GET", "/groups/{}/apps/{}/users/{}", Lane::storage, Auth::admin, Body::ignored, get_user},
      {"DELETE", "/groups/{}/apps/{}/users/{}", Lane::storage, Auth::admin, Body::ignored, remove_user},
      {"PATCH", "/groups/{}/apps/{}/users/{}/reset_email", Lane::storage, Auth::admin, Body::admin_object,
       reset_email},
      {"GET", "/groups/{}/apps/{}/users/{}/devices", Lane::storage, Auth::admin, Body::ignored, devices},
      {"PUT", "/groups/{}/apps/{}/users/{}/logout", Lane::storage, Auth::admin, Body::ignored, revoke_all},
      {"PUT", "/groups/{}/apps/{}/users/{}/enable", Lane::storage, Auth::admin, Body::ignored, enable_user},
      {"PUT", "/groups/{}/apps/{}/users/{}/disable", Lane::storage, Auth::admin, Body::ignored, disable_user},
      {"GET", "/groups/{}/apps/{}/users/{}/sessions", Lane::storage, Auth::admin, Body::ignored,
       list_user_sessions},
      {"DELETE", "/groups/{}/apps/{}/users/{}/sessions", Lane::storage, Auth::admin, Body::ignored,
       revoke_all},
      {"DELETE", "/groups/{}/apps/{}/users/{}/sessions/{}", Lane::storage, Auth::admin, Body::ignored,
       end_user_session},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

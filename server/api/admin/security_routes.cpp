// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/api/call.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Lifetimes of tokens and origins of pages (admin-api.md 4, decisions.md "token settings").
namespace keyturn::server::api {
namespace {

Error wrong_kind(std::string_view name, std::string_view wanted) {
  return refusal(ErrorCode::BadRequest, "'" + std::string(name) + "' must be " + std::string(wanted));
}

Result<Answer> get_expiration(Call& call) {
  return json_answer(json::Object{
      {"expiration_time_seconds", static_cast<std::int64_t>(call.app->app.tokens.refresh_lifetime.count())}});
}

Result<Answer> put_expiration(Call& call) {
  const json::Value* value = call.members().find("expiration_time_seconds");
  if (value == nullptr || value->as_int() == nullptr)
    return wrong_kind("expiration_time_seconds", "an integer");
  TokenSettingsPatch patch;
  patch.refresh_lifetime_seconds = *value->as_int();
  auto changed = call.services.apps.set_token_settings(call.app_id(), patch);
  if (!changed) return changed.error();
  return no_content();
}

Result<Answer> get_token_settings(Call& call) {
  return json_answer(token_settings_to_json(call.app->app.tokens));
}

Result<TokenSettingsPatch> read_patch(const json::Object& members) {
  TokenSettingsPatch patch;
  for (const auto& [name, value] : members) {
    if (name == "access_token_algorithm") {
      if (value.as_string() == nullptr) return wrong_kind(name, "a string");
      patch.access_algorithm = *value.as_string();
    } else if (name == "refresh_token_idle_seconds" && value.is_null()) {
      patch.refresh_idle_seconds.emplace(std::nullopt);
    } else if (name == "access_token_lifetime_seconds" || name == "refresh_token_lifetime_seconds" ||
               name == "refresh_token_idle_seconds") {
      if (value.as_int() == nullptr) return wrong_kind(name, "an integer");
      if (name[0] == 'a') {
        patch.access_lifetime_seconds = *value.as_int();
      } else if (name == "refresh_token_lifetime_seconds") {
        patch.refresh_lifetime_seconds = *value.as_int();
      } else {
        patch.refresh_idle_seconds.emplace(*value.as_int());
      }
    } else {
      return refusal(ErrorCode::InvalidParameter, "unknown token setting");
    }
  }
  return patch;
}

Result<Answer> patch_token_settings(Call& call) {
  auto patch = read_patch(call.members());
  if (!patch) return patch.error();
  auto changed = call.services.apps.set_token_settings(call.app_id(), *patch);
  if (!changed) return changed.error();
  return json_answer(token_settings_to_json(*changed));
}

json::Object session_settings_of(const App& app) {
  return {{"end_sessions_on_password_change", app.end_sessions_on_password_change},
          {"anonymous_user_lifetime_seconds", static_cast<std::int64_t>(app.anonymous_user_lifetime.count())},
          {"require_bound_sessions", app.require_bound_sessions}};
}

Result<Answer> get_session_settings(Call& call) { return json_answer(session_settings_of(call.app->app)); }

Result<Answer> patch_session_settings(Call& call) {
  SessionSettingsPatch patch;
  for (const auto& [name, value] : call.members()) {
    if (name == "end_sessions_on_password_change") {
      if (value.as_bool() == nullptr) return wrong_kind(name, "true or false");
      patch.end_sessions_on_password_change = *value.as_bool();
    } else if (name == "require_bound_sessions") {
      if (value.as_bool() == nullptr) return wrong_kind(name, "true or false");
      patch.require_bound_sessions = *value.as_bool();
    } else if (name == "anonymous_user_lifetime_seconds") {
      if (value.as_int() == nullptr) return wrong_kind(name, "an integer");
      patch.anonymous_user_lifetime_seconds = *value.as_int();
    } else {
      return refusal(ErrorCode::InvalidParameter, "unknown session setting");
    }
  }
  auto changed = call.services.apps.set_session_settings(call.app_id(), patch);
  if (!changed) return changed.error();
  return json_answer(session_settings_of(*changed));
}

json::Object password_settings_of(const PasswordSettings& settings) {
  return {{"minimum_length", static_cast<std::int64_t>(settings.least_characters)},
          {"refuse_common_passwords", settings.refuse_common}};
}

Result<Answer> get_password_settings(Call& call) {
  return json_answer(password_settings_of(call.app->app.passwords));
}

Result<Answer> patch_password_settings(Call& call) {
  PasswordSettingsPatch patch;
  for (const auto& [name, value] : call.members()) {
    if (name == "minimum_length") {
      if (value.as_int() == nullptr) return wrong_kind(name, "an integer");
      patch.least_characters = *value.as_int();
    } else if (name == "refuse_common_passwords") {
      if (value.as_bool() == nullptr) return wrong_kind(name, "true or false");
      patch.refuse_common = *value.as_bool();
    } else {
      return refusal(ErrorCode::InvalidParameter, "unknown password setting");
    }
  }
  auto changed = call.services.apps.set_password_settings(call.app_id(), patch);
  if (!changed) return changed.error();
  return json_answer(password_settings_of(*changed));
}

Result<Answer> get_origins(Call& call) {
  json::Array out;
  for (const std::string& origin : call.app->app.allowed_request_origins) out.emplace_back(origin);
  return json_answer(std::move(out));
}

Result<Answer> set_origins(Call& call) {
  const json::Array* given = call.body.as_array();
  if (given == nullptr) return refusal(ErrorCode::BadRequest, "the body must be an array of origins");
  std::vector<std::string> origins;
  for (const json::Value& each : *given) {
    if (each.as_string() == nullptr)
      return refusal(ErrorCode::BadRequest, "the body must be an array of origins");
    origins.push_back(*each.as_string());
  }
  return no_content_of(call.services.apps.set_allowed_origins(call.app_id(), std::move(origins)));
}

}  // namespace

const std::vector<Route>& admin_security_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/security/refresh_token_expiration", Lane::immediate, Auth::admin,
       Body::ignored, get_expiration},
      {"PUT", "/groups/{}/apps/{}/security/refresh_token_expiration", Lane::storage, Auth::admin,
       Body::admin_object, put_expiration},
      {"GET", "/groups/{}/apps/{}/security/token_settings", Lane::immediate, Auth::admin, Body::ignored,
       get_token_settings},
      {"PATCH", "/groups/{}/apps/{}/security/token_settings", Lane::storage, Auth::admin, Body::admin_object,
       patch_token_settings},
      {"GET", "/groups/{}/apps/{}/security/session_settings", Lane::immediate, Auth::admin, Body::ignored,
       get_session_settings},
      {"PATCH", "/groups/{}/apps/{}/security/session_settings", Lane::storage, Auth::admin,
       Body::admin_object, patch_session_settings},
      {"GET", "/groups/{}/apps/{}/security/password_settings", Lane::immediate, Auth::admin, Body::ignored,
       get_password_settings},
      {"PATCH", "/groups/{}/apps/{}/security/password_settings", Lane::storage, Auth::admin,
       Body::admin_object, patch_password_settings},
      {"GET", "/groups/{}/apps/{}/security/allowed_request_origins", Lane::immediate, Auth::admin,
       Body::ignored, get_origins},
      {"POST", "/groups/{}/apps/{}/security/allowed_request_origins", Lane::storage, Auth::admin,
       Body::admin_any, set_origins},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

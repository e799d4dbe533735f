// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/api/documents.hpp"
#include "server/api/routes.hpp"

// Settings that are kept and given back, and the states of a synchronization that is always done
// (admin-api.md 8).
namespace keyturn::server::api {
namespace {

Result<Answer> shown(Call& call, std::string_view name, json::Object otherwise) {
  auto settings = stored_settings(call, name, std::move(otherwise));
  if (!settings) return settings.error();
  return json_answer(*std::move(settings));
}

Result<Answer> get_user_data(Call& call) { return shown(call, "custom_user_data", {{"enabled", false}}); }
Result<Answer> patch_user_data(Call& call) {
  constexpr std::string_view kFunction = "on_user_creation_function_id";
  auto function = optional_text(call.members(), kFunction);
  if (!function) return function.error();
  auto stored = store_settings(call, "custom_user_data", true);
  if (!stored || !call.members().contains(kFunction)) return stored;
  return no_content_of(call.services.apps.set_user_creation_function(call.app_id(), *function));
}

Result<Answer> get_sync(Call& call) {
  return shown(call, "sync_config", {{"development_mode_enabled", false}});
}
Result<Answer> put_sync(Call& call) { return store_settings(call, "sync_config", false); }

Result<Answer> get_environment(Call& call) {
  return json_answer(json::Object{{"environment", call.app->app.environment}});
}
Result<Answer> put_environment(Call& call) {
  auto text = optional_text(call.members(), "environment");
  if (!text) return text.error();
  return no_content_of(call.services.apps.set_environment(call.app_id(), *text));
}

Result<Answer> sync_progress(Call& /*call*/) {
  return text_answer(R"({"progress":{"all":{"complete":true}},"accepting_clients":true})");
}
Result<Answer> sync_state(Call& /*call*/) { return text_answer(R"({"state":""})"); }
Result<Answer> sync_versions(Call& /*call*/) { return text_answer(R"({"versions":[{"version_major":1}]})"); }

}  // namespace

const std::vector<Route>& admin_settings_routes() {
  using protocol::Lane;
  static const std::vector<Route> routes{
      {"GET", "/groups/{}/apps/{}/custom_user_data", Lane::storage, Auth::admin, Body::ignored,
       get_user_data},
      {"PATCH", "/groups/{}/apps/{}/custom_user_data", Lane::storage, Auth::admin, Body::admin_object,
       patch_user_data},
      {"GET", "/groups/{}/apps/{}/sync/config", Lane::storage, Auth::admin, Body::ignored, get_sync},
      {"PUT", "/groups/{}/apps/{}/sync/config", Lane::storage, Auth::admin, Body::admin_object, put_sync},
      {"GET", "/groups/{}/apps/{}/sync/progress", Lane::immediate, Auth::admin, Body::ignored, sync_progress},
      {"GET", "/groups/{}/apps/{}/sync/state", Lane::immediate, Auth::admin, Body::ignored, sync_state},
      {"GET", "/groups/{}/apps/{}/sync/schemas/versions", Lane::immediate, Auth::admin, Body::ignored,
       sync_versions},
      {"GET", "/groups/{}/apps/{}/environment", Lane::storage, Auth::admin, Body::ignored, get_environment},
      {"PUT", "/groups/{}/apps/{}/environment", Lane::storage, Auth::admin, Body::admin_object,
       put_environment},
  };
  return routes;
}

}  // namespace keyturn::server::api

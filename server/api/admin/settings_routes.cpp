// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <utility>

#include "server/api/documents.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Settings that are kept and given back, and the states of a synchronization that is always done
// (admin-api.md 8).
namespace keyturn::server::api {
namespace {

Result<Answer> shown_settings(Call& call, std::string_view name, json::Object otherwise) {
  auto settings = stored_settings(call, name, std::move(otherwise));
  if (!settings) return settings.error();
  return json_answer(*std::move(settings));
}

Result<Answer> get_user_data(Call& call) {
  return shown_settings(call, "custom_user_data", {{"enabled", false}});
}

/// Nothing: the settings are off, or not complete yet; clients may send them in parts. `in_access_token` is a
/// setting of this server's own.
Result<std::optional<UserDataSource>> read_user_data(const json::Object& settings) {
  const auto wrong = [](std::string_view name, std::string_view wanted) {
    return refusal(ErrorCode::InvalidParameter, "'" + std::string(name) + "' must be " + std::string(wanted));
  };
  UserDataSource source;
  bool is_on = false;
  for (const auto& [name, flag] :
       {std::pair<std::string_view, bool*>{"enabled", &is_on},
        std::pair<std::string_view, bool*>{"in_access_token", &source.in_access_token}}) {
    const json::Value* value = settings.find(name);
    if (value == nullptr || value->is_null()) continue;
    if (value->as_bool() == nullptr) return wrong(name, "true or false");
    *flag = *value->as_bool();
  }
  for (const auto& [name, text] :
       {std::pair<std::string_view, std::string*>{"mongo_service_id", &source.service_id},
        std::pair<std::string_view, std::string*>{"database_name", &source.database},
        std::pair<std::string_view, std::string*>{"collection_name", &source.collection},
        std::pair<std::string_view, std::string*>{"user_id_field", &source.user_id_field}}) {
    auto given = optional_text(settings, name);
    if (!given) return wrong(name, "a string");
    if (!given->empty() && given->front() == '$') return wrong(name, "a name");
    *text = *given;
    is_on = is_on && !text->empty();
  }
  return is_on ? std::optional(std::move(source)) : std::nullopt;
}

Result<void> store_user_data(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto settings = stored_settings(call, "custom_user_data", {{"enabled", false}});
  if (!settings) return settings.error();
  for (const auto& [name, value] : call.members()) settings->set(name, value);
  auto source = read_user_data(*settings);
  if (!source) return source.error();
  auto stored =
      call.services.apps.put_document(call.app_id(), "settings", "custom_user_data", *std::move(settings));
  if (!stored) return stored;
  if (auto set = call.services.apps.set_user_data(call.app_id(), *source); !set) return set;
  if (call.services.data == nullptr || !*source) return {};
  App changed = call.app->app;
  changed.user_data = *std::move(source);
  return call.services.data->prepare_user_data(changed);
}

Result<Answer> patch_user_data(Call& call) {
  constexpr std::string_view kFunction = "on_user_creation_function_id";
  auto function = optional_text(call.members(), kFunction);
  if (!function) return function.error();
  if (auto stored = store_user_data(call); !stored) return stored.error();
  if (!call.members().contains(kFunction)) return no_content();
  return no_content_of(call.services.apps.set_user_creation_function(call.app_id(), *function));
}

Result<Answer> get_sync(Call& call) {
  return shown_settings(call, "sync_config", {{"development_mode_enabled", false}});
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
  static const std::vector<Route> kRoutes{
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
  return kRoutes;
}

}  // namespace keyturn::server::api

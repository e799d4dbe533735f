// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/protocol/messages.hpp"
#include "server/api/call.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Apps and their server API keys (admin-api.md 2, 10).
namespace keyturn::server::api {
namespace {

Result<Answer> list_apps(Call& call) {
  json::Array out;
  for (const auto& each : call.services.directory.all()) out.emplace_back(app_to_json(each->app));
  return json_answer(std::move(out));
}

Result<Answer> create_app(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  auto app = call.services.apps.create(*name, call.members());
  if (!app) return app.error();
  return json_answer(app_to_json(*app), 201);
}

Result<Answer> get_app(Call& call) { return json_answer(app_to_json(call.app->app)); }

Result<Answer> remove_app(Call& call) {
  auto removed = call.services.apps.remove(call.app_id());
  if (removed) {
    call.log.forget(call.app_id());
    call.is_logged = true;  // there is no log any more
  }
  return no_content_of(removed);
}

Result<Answer> list_app_keys(Call& call) {
  auto keys = call.services.api_keys.list_server_keys(*call.app);
  if (!keys) return keys.error();
  return text_answer(protocol::write_api_keys(key_messages(*keys)));
}

Result<Answer> create_app_key(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  auto made = call.services.api_keys.create_server_key(*call.app, *name);
  if (!made) return made.error();
  return text_answer(protocol::write_api_key(new_key_message(*std::move(made))), 201);
}

Result<Answer> get_key(Call& call) {
  auto key = call.services.api_keys.get_server_key(*call.app, call.arguments[2]);
  if (!key) return key.error();
  return text_answer(protocol::write_api_key(key_message(*key)));
}

Result<Answer> remove_app_key(Call& call) {
  return no_content_of(call.services.api_keys.remove_server_key(*call.app, call.arguments[2]));
}

Result<Answer> enable_key(Call& call) {
  return no_content_of(call.services.api_keys.set_server_key_disabled(*call.app, call.arguments[2], false));
}

Result<Answer> disable_key(Call& call) {
  return no_content_of(call.services.api_keys.set_server_key_disabled(*call.app, call.arguments[2], true));
}

}  // namespace

const std::vector<Route>& admin_app_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps", Lane::immediate, Auth::admin, Body::ignored, list_apps},
      {"POST", "/groups/{}/apps", Lane::storage, Auth::admin, Body::admin_object, create_app},
      {"GET", "/groups/{}/apps/{}", Lane::immediate, Auth::admin, Body::ignored, get_app},
      {"DELETE", "/groups/{}/apps/{}", Lane::storage, Auth::admin, Body::ignored, remove_app},
      {"GET", "/groups/{}/apps/{}/api_keys", Lane::storage, Auth::admin, Body::ignored, list_app_keys},
      {"POST", "/groups/{}/apps/{}/api_keys", Lane::storage, Auth::admin, Body::admin_object, create_app_key},
      {"GET", "/groups/{}/apps/{}/api_keys/{}", Lane::storage, Auth::admin, Body::ignored, get_key},
      {"DELETE", "/groups/{}/apps/{}/api_keys/{}", Lane::storage, Auth::admin, Body::ignored, remove_app_key},
      {"PUT", "/groups/{}/apps/{}/api_keys/{}/enable", Lane::storage, Auth::admin, Body::ignored, enable_key},
      {"PUT", "/groups/{}/apps/{}/api_keys/{}/disable", Lane::storage, Auth::admin, Body::ignored,
       disable_key},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

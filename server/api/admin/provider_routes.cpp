// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "server/api/call.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Auth providers of an app (admin-api.md 5).
namespace keyturn::server::api {
namespace {

const std::string& provider_id_of(const Call& call) { return call.arguments[2]; }

Result<Answer> list_providers(Call& call) {
  json::Array out;
  for (const AuthProvider& each : call.app->providers) out.emplace_back(provider_to_json(each, false));
  return json_answer(std::move(out));
}

Result<Answer> create_provider(Call& call) {
  auto made = call.services.apps.add_provider(call.app_id(), call.members());
  if (!made) return made.error();
  return json_answer(provider_to_json(*made, true), 201);
}

Result<Answer> get_provider(Call& call) {
  const auto& all = call.app->providers;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const AuthProvider& each) { return each.id == provider_id_of(call); });
  if (found == all.end()) return refusal(ErrorCode::AuthProviderNotFound, "auth provider not found");
  return json_answer(provider_to_json(*found, true));
}

Result<Answer> patch(Call& call) {
  return no_content_of(
      call.services.apps.patch_provider(call.app_id(), provider_id_of(call), call.members()));
}

Result<Answer> remove_provider(Call& call) {
  return no_content_of(call.services.apps.remove_provider(call.app_id(), provider_id_of(call)));
}

Result<Answer> enable_provider(Call& call) {
  return no_content_of(call.services.apps.set_provider_disabled(call.app_id(), provider_id_of(call), false));
}

Result<Answer> disable_provider(Call& call) {
  return no_content_of(call.services.apps.set_provider_disabled(call.app_id(), provider_id_of(call), true));
}

}  // namespace

const std::vector<Route>& admin_provider_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/auth_providers", Lane::immediate, Auth::admin, Body::ignored,
       list_providers},
      {"POST", "/groups/{}/apps/{}/auth_providers", Lane::storage, Auth::admin, Body::admin_object,
       create_provider},
      {"GET", "/groups/{}/apps/{}/auth_providers/{}", Lane::immediate, Auth::admin, Body::ignored,
       get_provider},
      {"PATCH", "/groups/{}/apps/{}/auth_providers/{}", Lane::storage, Auth::admin, Body::admin_object,
       patch},
      {"DELETE", "/groups/{}/apps/{}/auth_providers/{}", Lane::storage, Auth::admin, Body::ignored,
       remove_provider},
      {"PUT", "/groups/{}/apps/{}/auth_providers/{}/enable", Lane::storage, Auth::admin, Body::ignored,
       enable_provider},
      {"PUT", "/groups/{}/apps/{}/auth_providers/{}/disable", Lane::storage, Auth::admin, Body::ignored,
       disable_provider},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "server/api/documents.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// What set-up scripts of old test-suites ask beside the admin API (admin-api.md 12). Changes answer without a
// body.
namespace keyturn::server::api {
namespace {

Result<Answer> version(Call& /*call*/) { return text_answer(R"({"status":"ok"})"); }

Result<json::Array> enabled_features(Call& call) {
  auto stored = stored_settings(call, "features", {});
  if (!stored) return stored.error();
  const json::Value* enabled = stored->find("enabled");
  return enabled != nullptr && enabled->as_array() != nullptr ? *enabled->as_array() : json::Array();
}

Result<Answer> get_features(Call& call) {
  auto enabled = enabled_features(call);
  if (!enabled) return enabled.error();
  return json_answer(json::Object{{"enabled", *std::move(enabled)}});
}

Result<Answer> change_features(Call& call) {
  auto action = required_text(call.members(), "action");
  if (!action) return action.error();
  const json::Value* flags = call.members().find("feature_flags");
  if ((*action != "enable" && *action != "disable") || flags == nullptr || flags->as_array() == nullptr) {
    return refusal(ErrorCode::BadRequest, "'action' must be enable or disable, and 'feature_flags' a list");
  }
  auto enabled = enabled_features(call);
  if (!enabled) return enabled.error();
  for (const json::Value& flag : *flags->as_array()) {
    enabled->erase(std::remove(enabled->begin(), enabled->end(), flag), enabled->end());
    if (*action == "enable") enabled->push_back(flag);
  }
  return no_content_of(call.services.apps.put_document(call.app_id(), "settings", "features",
                                                       json::Object{{"enabled", *std::move(enabled)}}));
}

Result<Answer> get_settings(Call& call) {
  auto settings = stored_settings(call, "private", {});
  if (!settings) return settings.error();
  return json_answer(*std::move(settings));
}

Result<Answer> patch_settings(Call& call) { return store_settings(call, "private", true); }

}  // namespace

const std::vector<Route>& private_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/version", Lane::immediate, Auth::none, Body::ignored, version},
      {"GET", "/groups/{}/apps/{}/features", Lane::storage, Auth::admin, Body::ignored, get_features},
      {"POST", "/groups/{}/apps/{}/features", Lane::storage, Auth::admin, Body::admin_object,
       change_features},
      {"GET", "/groups/{}/apps/{}/settings", Lane::storage, Auth::admin, Body::ignored, get_settings},
      {"PATCH", "/groups/{}/apps/{}/settings", Lane::storage, Auth::admin, Body::admin_object,
       patch_settings},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

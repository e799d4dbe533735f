// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/api/documents.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Drafts and deployments (admin-api.md 9). Every change is in force at once, so there is one deployment, and
// it has succeeded; its id is the app's.
namespace keyturn::server::api {
namespace {

constexpr std::string_view kDrafts = "drafts";

json::Object deployment_of(const Call& call) {
  return {{"_id", call.app_id()},
          {"app_id", call.app_id()},
          {"deployed_at", unix_seconds(call.app->app.last_modified)},
          {"origin", "UI"},
          {"status", "successful"},
          {"status_error_message", ""}};
}

Result<Answer> list_deployments(Call& call) { return json_answer(json::Array{deployment_of(call)}); }

Result<Answer> get_deployment(Call& call) {
  if (call.arguments[2] != call.app_id())
    return refusal(ErrorCode::DeploymentNotFound, "deployment not found");
  return json_answer(deployment_of(call));
}

Result<Answer> redeploy(Call& call) {
  if (call.arguments[2] != call.app_id())
    return refusal(ErrorCode::DeploymentNotFound, "deployment not found");
  return no_content();
}

Result<Answer> list_drafts(Call& call) {
  auto drafts = call.services.apps.documents(call.app_id(), kDrafts);
  if (!drafts) return drafts.error();
  json::Array out;
  for (ConfigDocument& each : *drafts) out.push_back(std::move(each.value));
  return json_answer(std::move(out));
}

Result<Answer> create_draft(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto drafts = call.services.apps.documents(call.app_id(), kDrafts);
  if (!drafts) return drafts.error();
  if (!drafts->empty()) return refusal(ErrorCode::AppUnknownError, 409, "a draft already exists");
  json::Object draft{{"user_id", call.caller->principal.user_id},
                     {"app", json::Object{{"_id", call.app_id()}}}};
  auto id = call.services.apps.add_document(call.app_id(), kDrafts, draft);
  if (!id) return id.error();
  draft.set("_id", *id);
  return json_answer(std::move(draft), 201);
}

Result<Answer> get_draft(Call& call) {
  auto draft = stored_document(call, kDrafts, call.arguments[2]);
  if (!draft) return draft.error();
  return json_answer(*std::move(draft));
}

Result<void> drop_draft(Call& call) {
  auto removed = call.services.apps.remove_document(call.app_id(), kDrafts, call.arguments[2]);
  if (!removed) return removed.error();
  if (!*removed) return document_not_found(kDrafts);
  return {};
}

Result<Answer> remove_draft(Call& call) { return no_content_of(drop_draft(call)); }

Result<Answer> deploy_draft(Call& call) {
  if (auto dropped = drop_draft(call); !dropped) return dropped.error();
  return json_answer(deployment_of(call), 201);
}

Result<Answer> configure(Call& call) { return store_settings(call, "deploy_config", true); }

}  // namespace

const std::vector<Route>& admin_deployment_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/deployments", Lane::immediate, Auth::admin, Body::ignored,
       list_deployments},
      {"GET", "/groups/{}/apps/{}/deployments/{}", Lane::immediate, Auth::admin, Body::ignored,
       get_deployment},
      {"POST", "/groups/{}/apps/{}/deployments/{}/redeploy", Lane::immediate, Auth::admin, Body::ignored,
       redeploy},
      {"GET", "/groups/{}/apps/{}/drafts", Lane::storage, Auth::admin, Body::ignored, list_drafts},
      {"POST", "/groups/{}/apps/{}/drafts", Lane::storage, Auth::admin, Body::ignored, create_draft},
      {"GET", "/groups/{}/apps/{}/drafts/{}", Lane::storage, Auth::admin, Body::ignored, get_draft},
      {"DELETE", "/groups/{}/apps/{}/drafts/{}", Lane::storage, Auth::admin, Body::ignored, remove_draft},
      {"POST", "/groups/{}/apps/{}/drafts/{}/deployment", Lane::storage, Auth::admin, Body::ignored,
       deploy_draft},
      {"PATCH", "/groups/{}/apps/{}/deploy/config", Lane::storage, Auth::admin, Body::admin_object,
       configure},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

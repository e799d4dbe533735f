// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "core/json/json.hpp"
#include "server/api/call.hpp"
#include "server/api/routes.hpp"
#include "server/domain/apps/app_packages.hpp"
#include "server/domain/refusal.hpp"

// The npm packages of an app (admin-api.md 12, "/dependencies"): what is installed is shown; installing is
// the operator's, since the server fetches nothing from a registry and unpacks no archives.
namespace keyturn::server::api {
namespace {

std::optional<InstalledPackages> packages_of(const Call& call) {
  if (call.services.packages == nullptr) return std::nullopt;
  return call.services.packages->installed(call.app->app);
}

Result<Answer> list_dependencies(Call& call) {
  const auto installed = packages_of(call);
  json::Array list;
  json::Object answer{{"location", call.app->app.location}};
  if (installed) {
    answer.set("last_modified", unix_seconds(installed->last_modified));
    for (const AppPackage& each : installed->packages) {
      list.emplace_back(json::Object{{"name", each.name}, {"version", each.version}});
    }
  }
  answer.set("dependencies_list", std::move(list));
  return json_answer(std::move(answer));
}

Result<Answer> dependency_status(Call& call) {
  if (!packages_of(call)) {
    return refusal(ErrorCode::AppUnknownError, 404, "dependency installation not found");
  }
  return json_answer(json::Object{{"status", "successful"}, {"status_message", ""}});
}

/// As a package.json, from which `npm install` makes the same again.
Result<Answer> export_dependencies(Call& call) {
  const auto installed = packages_of(call);
  if (!installed) return refusal(ErrorCode::AppUnknownError, 404, "dependency installation not found");
  json::Object wanted;
  for (const AppPackage& each : installed->packages) {
    wanted.set(each.name, each.version.empty() ? std::string("*") : each.version);
  }
  Answer answer = json_answer(json::Object{{"dependencies", std::move(wanted)}});
  answer.headers.emplace_back("Content-Disposition", "attachment; filename=\"package.json\"");
  return answer;
}

Result<Answer> refuse_installation(Call& call) {
  return refusal(ErrorCode::BadRequest,
                 "this server installs and removes no packages itself; on its machine, run: npm install "
                 "--ignore-scripts --prefix DATA/packages/" +
                     call.app_id() + " PACKAGE");
}

}  // namespace

const std::vector<Route>& admin_dependency_routes() {
  using protocol::Lane;
  constexpr Auth kAuth = Auth::admin;
  // Read to its end, so that the client hears why; as large as a body may be.
  constexpr Body kArchive = Body::large;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/dependencies", Lane::storage, kAuth, Body::ignored, list_dependencies},
      {"GET", "/groups/{}/apps/{}/dependencies/status", Lane::storage, kAuth, Body::ignored,
       dependency_status},
      {"GET", "/groups/{}/apps/{}/dependencies/export", Lane::storage, kAuth, Body::ignored,
       export_dependencies},
      {"PUT", "/groups/{}/apps/{}/dependencies", Lane::storage, kAuth, kArchive, refuse_installation},
      {"POST", "/groups/{}/apps/{}/dependencies", Lane::storage, kAuth, kArchive, refuse_installation},
      {"PUT", "/groups/{}/apps/{}/dependencies/{}", Lane::storage, kAuth, kArchive, refuse_installation},
      {"DELETE", "/groups/{}/apps/{}/dependencies/{}", Lane::storage, kAuth, Body::ignored,
       refuse_installation},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

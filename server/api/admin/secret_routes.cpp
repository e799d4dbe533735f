// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/api/call.hpp"
#include "server/api/routes.hpp"

// Secrets: names come out again, values never (admin-api.md 6).
namespace keyturn::server::api {
namespace {

struct NamedSecret {
  std::string_view name;
  Secret value;
};

Result<NamedSecret> read(const Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  auto value = required_text(call.members(), "value");
  if (!value) return value.error();
  return NamedSecret{*name, Secret(*value)};
}

Result<Answer> list_secrets(Call& call) {
  auto secrets = call.services.apps.secrets(call.app_id());
  if (!secrets) return secrets.error();
  json::Array out;
  for (const auto& [id, name] : *secrets) out.emplace_back(json::Object{{"_id", id}, {"name", name}});
  return json_answer(std::move(out));
}

Result<Answer> create_secret(Call& call) {
  auto secret = read(call);
  if (!secret) return secret.error();
  auto id = call.services.apps.add_secret(call.app_id(), secret->name, secret->value);
  if (!id) return id.error();
  return json_answer(json::Object{{"_id", *id}, {"name", secret->name}}, 201);
}

Result<Answer> put_secret(Call& call) {
  auto secret = read(call);
  if (!secret) return secret.error();
  return no_content_of(
      call.services.apps.put_secret(call.app_id(), call.arguments[2], secret->name, secret->value));
}

Result<Answer> remove_secret(Call& call) {
  return no_content_of(call.services.apps.remove_secret(call.app_id(), call.arguments[2]));
}

}  // namespace

const std::vector<Route>& admin_secret_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/secrets", Lane::storage, Auth::admin, Body::ignored, list_secrets},
      {"POST", "/groups/{}/apps/{}/secrets", Lane::storage, Auth::admin, Body::admin_object, create_secret},
      {"PUT", "/groups/{}/apps/{}/secrets/{}", Lane::storage, Auth::admin, Body::admin_object, put_secret},
      {"DELETE", "/groups/{}/apps/{}/secrets/{}", Lane::storage, Auth::admin, Body::ignored, remove_secret},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/protocol/messages.hpp"
#include "server/api/call.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// A user's own API keys, with the refresh token as bearer (client-api.md 11).
namespace keyturn::server::api {
namespace {

Result<Answer> create_api_key(Call& call) {
  const json::Value* name = call.members().find("name");
  if (name == nullptr || name->as_string() == nullptr) {
    return refusal(ErrorCode::AppUnknownError, 400, "'name' is a required string");
  }
  auto made = call.services.api_keys.create(*call.caller, *name->as_string());
  if (!made) return made.error();
  return text_answer(protocol::write_api_key(new_key_message(*std::move(made))), 201);
}

Result<Answer> list_api_keys(Call& call) {
  auto keys = call.services.api_keys.list(*call.caller);
  if (!keys) return keys.error();
  return text_answer(protocol::write_api_keys(key_messages(*keys)));
}

Result<Answer> fetch(Call& call) {
  auto key = call.services.api_keys.get(*call.caller, call.arguments[0]);
  if (!key) return key.error();
  return text_answer(protocol::write_api_key(key_message(*key)));
}

Result<Answer> remove_api_key(Call& call) {
  return no_content_of(call.services.api_keys.remove(*call.caller, call.arguments[0]));
}

Result<Answer> enable_api_key(Call& call) {
  return no_content_of(call.services.api_keys.set_disabled(*call.caller, call.arguments[0], false));
}

Result<Answer> disable_api_key(Call& call) {
  return no_content_of(call.services.api_keys.set_disabled(*call.caller, call.arguments[0], true));
}

}  // namespace

const std::vector<Route>& client_key_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"POST", "/auth/api_keys", Lane::storage, Auth::refresh, Body::object, create_api_key},
      {"GET", "/auth/api_keys", Lane::storage, Auth::refresh, Body::ignored, list_api_keys},
      {"GET", "/auth/api_keys/{}", Lane::storage, Auth::refresh, Body::ignored, fetch},
      {"DELETE", "/auth/api_keys/{}", Lane::storage, Auth::refresh, Body::ignored, remove_api_key},
      {"PUT", "/auth/api_keys/{}/enable", Lane::storage, Auth::refresh, Body::ignored, enable_api_key},
      {"PUT", "/auth/api_keys/{}/disable", Lane::storage, Auth::refresh, Body::ignored, disable_api_key},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

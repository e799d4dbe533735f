// SPDX-License-Identifier: Apache-2.0
#include "server/api/routes.hpp"

#include <utility>

#include <keyturn/ejson.hpp>

#include "server/api/body.hpp"
#include "server/api/data_api/actions.hpp"
#include "server/api/data_api/config.hpp"
#include "server/api/documents.hpp"
#include "server/api/functions/endpoint_caller.hpp"
#include "server/domain/refusal.hpp"

// The Data API and its configuration (data-api.md).
namespace keyturn::server::api {
namespace {

Error data_api_not_found() { return refusal(ErrorCode::AppUnknownError, 404, "not found"); }

Result<EjsonDocument> read_document(const std::string& text) {
  auto body = Ejson::parse(text, kMostValues);
  if (!body) return refusal(ErrorCode::BadRequest, body.error().message);
  auto* document = body->get_if<EjsonDocument>();
  if (document == nullptr) return refusal(ErrorCode::BadRequest, "the body must be an object");
  return std::move(*document);
}

Result<Answer> run_action(Call& call) {
  const std::string& name = call.arguments[1];
  if (!is_data_api_action(name)) return data_api_not_found();
  auto config = stored_settings(call, kDataApiSettings, default_data_api_config());
  if (!config) return config.error();
  auto rules = read_data_api_config(*config);
  if (!rules) return rules.error();
  if (rules->disabled) {
    return refusal(ErrorCode::AppUnknownError, 404, "the Data API of this app is not enabled");
  }
  if (auto valid = check_endpoint_secret(call, *config); !valid) return valid.error();
  auto caller = endpoint_caller(call, *config);
  if (!caller) return caller.error();
  auto body = read_document(call.request.body);
  if (!body) return body.error();
  auto action = read_data_api_action(name, *body);
  if (!action) return action.error();
  if (call.services.data == nullptr) {
    return refusal(ErrorCode::ServiceNotFound, "service not found: '" + action->service + "'");
  }
  auto result = call.services.data->call(call.app->app, {caller->user, caller->is_system}, action->service,
                                         action->name, action->arguments);
  if (!result) return result.error();
  const DataFormat format =
      data_format_for(find_header(call.request.headers, "accept").value_or(""), rules->format);
  Answer answer;
  answer.status = 200;
  answer.body = write_data(shape_data_api_result(*action, *std::move(result)), format);
  answer.content_type = content_type_of(format);
  return answer;
}

Result<Answer> get_config(Call& call) {
  auto config = stored_settings(call, kDataApiSettings, default_data_api_config());
  if (!config) return config.error();
  return json_answer(*std::move(config));
}

Result<void> check_required(const json::Object& config) {
  for (const std::string_view name : {"disabled", "versions", "return_type", "validation_method"}) {
    const json::Value* value = config.find(name);
    if (value == nullptr || value->is_null()) {
      return refusal(ErrorCode::MissingParameter, "'" + std::string(name) + "' is required");
    }
  }
  return {};
}

Result<void> store_config(Call& call, json::Object config) {
  if (auto checked = check_required(config); !checked) return checked;
  if (auto rules = read_data_api_config(config); !rules) return rules.error();
  return call.services.apps.put_document(call.app_id(), "settings", kDataApiSettings, std::move(config));
}

Result<Answer> create_config(Call& call) {
  const auto turn = call.services.apps.take_turn();
  if (auto stored = store_config(call, call.members()); !stored) return stored.error();
  return json_answer(call.members(), 201);
}

Result<Answer> patch_config(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto config = stored_settings(call, kDataApiSettings, default_data_api_config());
  if (!config) return config.error();
  for (const auto& [name, value] : call.members()) config->set(name, value);
  return no_content_of(store_config(call, *std::move(config)));
}

Result<Answer> versions(Call& /*call*/) { return text_answer(R"(["v1"])"); }

}  // namespace

const std::vector<Route>& data_api_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"POST", "/app/{}/endpoint/data/v1/action/{}", Lane::function, Auth::none, Body::large, run_action},
  };
  return kRoutes;
}

const std::vector<Route>& admin_data_api_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/data_api/config", Lane::storage, Auth::admin, Body::ignored, get_config},
      {"POST", "/groups/{}/apps/{}/data_api/config", Lane::storage, Auth::admin, Body::admin_object,
       create_config},
      {"PATCH", "/groups/{}/apps/{}/data_api/config", Lane::storage, Auth::admin, Body::admin_object,
       patch_config},
      {"GET", "/groups/{}/apps/{}/data_api/versions", Lane::immediate, Auth::admin, Body::ignored, versions},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

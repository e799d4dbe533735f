// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/json/json.hpp"
#include "server/api/call.hpp"
#include "server/api/functions/function_calls.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Functions and services (client-api.md 12-14).
namespace keyturn::server::api {
namespace {

Error not_understood() { return refusal(ErrorCode::BadRequest, "'arguments' must be an array"); }

/// An action of a linked service. Its arguments are read from the body's text, where their types are exact.
Result<Answer> call_service(Call& call, const std::string& service, const std::string& action) {
  if (call.services.data == nullptr) {
    return refusal(ErrorCode::FunctionExecutionError, "Cannot access member '" + action + "' of undefined");
  }
  auto known = call.services.data->has_service(call.app->app, service);
  if (!known) return known.error();
  if (!*known) {
    return refusal(ErrorCode::FunctionExecutionError, "Cannot access member '" + action + "' of undefined");
  }
  call.body = json::Value();  // one tree of a large body is enough
  auto body = Ejson::parse(call.request.body);
  if (!body) return refusal(ErrorCode::BadRequest, body.error().message);
  const Ejson* arguments = body->find("arguments");
  const auto* list = arguments == nullptr ? nullptr : arguments->get_if<EjsonArray>();
  const EjsonDocument* only =
      list != nullptr && list->size() == 1 ? list->front().get_if<EjsonDocument>() : nullptr;
  if (only == nullptr) return refusal(ErrorCode::BadRequest, "a service takes one object as its argument");
  auto result =
      call.services.data->call(call.app->app, {call.caller->principal, false}, service, action, *only);
  if (!result) return result.error();
  return text_answer(result->to_canonical());
}

Result<Answer> call_function(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  static const json::Array kNone;
  const json::Array* arguments = &kNone;
  if (const json::Value* given = call.members().find("arguments"); given != nullptr && !given->is_null()) {
    arguments = given->as_array();
    if (arguments == nullptr) return not_understood();
  }
  auto service = optional_text(call.members(), "service");
  if (!service) return service.error();
  if (!service->empty()) return call_service(call, std::string(*service), std::string(*name));
  FunctionCall wanted{*name, *arguments, call.caller->principal, function_request(call), true};
  auto outcome = run_function(call, std::move(wanted));
  if (!outcome.result) return outcome.result.error();
  return json_answer(*std::move(outcome.result));
}

Result<Answer> watch_call(Call& /*call*/) {
  return refusal(ErrorCode::FunctionNotFound, "function not found: 'watch'");
}

}  // namespace

const std::vector<Route>& client_call_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"POST", "/app/{}/functions/call", Lane::function, Auth::access, Body::function, call_function},
      {"GET", "/app/{}/functions/call", Lane::immediate, Auth::access, Body::ignored, watch_call},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

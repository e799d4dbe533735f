// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "server/api/call.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Functions, services, streams and push registration (client-api.md 12-15): the bearer is checked as it must
// be, and the answer is the documented one of an app that has none of them.
namespace keyturn::server::api {
namespace {

Result<Answer> call_function(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  const json::Value* arguments = call.members().find("arguments");
  if (arguments != nullptr && !arguments->is_null() && arguments->as_array() == nullptr) {
    return refusal(ErrorCode::BadRequest, "'arguments' must be an array");
  }
  auto service = optional_text(call.members(), "service");
  if (!service) return service.error();
  if (!service->empty()) {
    return refusal(ErrorCode::FunctionExecutionError,
                   "Cannot access member '" + std::string(*name) + "' of undefined");
  }
  return refusal(ErrorCode::FunctionNotFound, "function not found: '" + std::string(*name) + "'");
}

Result<Answer> watch(Call& /*call*/) {
  return refusal(ErrorCode::FunctionNotFound, "function not found: 'watch'");
}

Result<Answer> push(Call& call) {
  return refusal(ErrorCode::ServiceNotFound, "service not found: '" + call.arguments[1] + "'");
}

}  // namespace

const std::vector<Route>& client_call_routes() {
  using protocol::Lane;
  static const std::vector<Route> routes{
      {"POST", "/app/{}/functions/call", Lane::immediate, Auth::access, Body::function, call_function},
      {"GET", "/app/{}/functions/call", Lane::immediate, Auth::access, Body::ignored, watch},
      {"PUT", "/app/{}/push/providers/{}/registration", Lane::immediate, Auth::access, Body::ignored, push},
      {"DELETE", "/app/{}/push/providers/{}/registration", Lane::immediate, Auth::access, Body::ignored,
       push},
  };
  return routes;
}

}  // namespace keyturn::server::api

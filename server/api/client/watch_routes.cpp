// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/crypto/crypto.hpp"
#include "server/api/call.hpp"
#include "server/api/routes.hpp"
#include "server/api/watch_hub.hpp"
#include "server/domain/refusal.hpp"

// Streams of changes (client-api.md 14).
namespace keyturn::server::api {
namespace {

struct Request {
  std::string name;
  std::string service;
  EjsonDocument arguments;
};

Error no_request(const char* why) { return refusal(ErrorCode::BadRequest, why); }

Result<Request> read_request(const Call& call) {
  auto packed = call.parameter("baas_request");
  if (!packed) return no_request("'baas_request' is a required parameter");
  std::replace(packed->begin(), packed->end(), ' ', '+');  // a plus sign that was not escaped
  const auto text = crypto::base64_decode_lenient(*packed);
  if (!text) return no_request("'baas_request' is not base64");
  auto request = Ejson::parse(*text);
  if (!request) return no_request("'baas_request' is not Extended JSON");
  const Ejson* name = request->find("name");
  const Ejson* service = request->find("service");
  const Ejson* arguments = request->find("arguments");
  const auto* list = arguments == nullptr ? nullptr : arguments->get_if<EjsonArray>();
  const auto* only = list != nullptr && list->size() == 1 ? list->front().get_if<EjsonDocument>() : nullptr;
  if (name == nullptr || name->get_if<std::string>() == nullptr)
    return no_request("'name' is a required string");
  if (only == nullptr) return no_request("a service takes one object as its argument");
  const bool has_service = service != nullptr && service->get_if<std::string>() != nullptr;
  return Request{*name->get_if<std::string>(), has_service ? *service->get_if<std::string>() : std::string(),
                 *only};
}

Result<Answer> watch(Call& call) {
  auto request = read_request(call);
  if (!request) return request.error();
  if (request->name != "watch" || request->service.empty()) {
    return refusal(ErrorCode::FunctionNotFound, "function not found: '" + request->name + "'");
  }
  DataService* data = call.services.data;
  bool is_known = data != nullptr && call.services.watches != nullptr;
  if (is_known) {
    auto known = data->has_service(call.app->app, request->service);
    if (!known) return known.error();
    is_known = *known;
  }
  if (!is_known) {
    return refusal(ErrorCode::FunctionExecutionError, "Cannot access member 'watch' of undefined");
  }
  const Principal& principal = call.caller->principal;
  auto stream = call.services.watches->open(
      {principal, call.caller->claims.expires_at}, [&](DataService::ChangeObserver observer) {
        return data->watch(call.app->app, {principal, false}, request->service, request->arguments,
                           std::move(observer));
      });
  if (!stream) return stream.error();
  Answer answer;
  answer.status = 200;
  answer.stream = std::move(*stream);
  return answer;
}

}  // namespace

const std::vector<Route>& client_watch_routes() {
  static const std::vector<Route> kRoutes{
      {"GET", "/app/{}/functions/call", protocol::Lane::storage, Auth::stream, Body::ignored, watch}};
  return kRoutes;
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "server/api/documents.hpp"
#include "server/api/functions/endpoint_caller.hpp"
#include "server/api/functions/endpoint_route.hpp"
#include "server/api/functions/function_calls.hpp"
#include "server/api/plain_json.hpp"
#include "server/api/routes.hpp"
#include "server/domain/apps/settings.hpp"
#include "server/domain/refusal.hpp"

// Custom HTTPS endpoints: a path of the app that runs a function (data-api.md 7).
namespace keyturn::server::api {
namespace {

/// Put behind the function's own source, which has set `exports` or `module.exports`. Makes the `request` of
/// its JSON text and of the body, makes the `response` that the function is given, and tells what it did to
/// it beside the return value.
constexpr std::string_view kEndpointSource = R"(
;exports = (function (handler) {
  if (typeof handler !== "function") return handler;
  return async function (text, body) {
    const request = JSON.parse(text);
    if (body !== undefined) request.body = body;
    const told = { status: "200", headers: [], body: null };
    const without = (name) => told.headers.filter((line) => line[0].toLowerCase() !== String(name).toLowerCase());
    const response = {
      setStatusCode(code) { told.status = String(code); },
      setBody(body) { told.body = body === null || typeof body === "object" ? body : String(body); },
      setHeader(name, value) { told.headers = without(name); response.addHeader(name, value); },
      addHeader(name, value) { told.headers.push([String(name), String(value)]); },
    };
    const result = await handler(request, response);
    return { result, ...told };
  };
})(typeof exports !== "function" && typeof module?.exports === "function" ? module.exports : exports);
)";

Error not_found() { return refusal(ErrorCode::IncomingWebhookNotFound, "endpoint not found"); }

/// The endpoint of that route; one of that very method before one of any.
Result<json::Object> find_endpoint(Call& call) {
  auto all = call.services.apps.documents(call.app_id(), "endpoints");
  if (!all) return all.error();
  const std::string route = endpoint_route_of(path_of(call.request.url));
  const json::Object* found = nullptr;
  for (const ConfigDocument& each : *all) {
    const json::Object* endpoint = each.value.as_object();
    if (endpoint == nullptr || flag_at(*endpoint, "disabled") || text_at(*endpoint, "route") != route)
      continue;
    const std::string_view method = text_at(*endpoint, "http_method");
    if (method == call.request.method) return *endpoint;
    if (method == "*" || method.empty()) found = endpoint;
  }
  if (found == nullptr) return not_found();
  return *found;
}

Result<json::Object> function_of(Call& call, const json::Object& endpoint) {
  const FunctionReference wanted = function_at(endpoint, "function_name", "function_id");
  auto found = call.services.apps.function(call.app_id(), wanted);
  if (!found) return found.error();
  if (*found) return **std::move(found);
  return refusal(ErrorCode::FunctionNotFound, "function not found: '" + std::string(wanted.text()) + "'");
}

json::Object query_of_request(const Call& call) {
  json::Object out;
  std::string_view query = query_of(call.request.url);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (name && value && !name->empty() && *name != "secret") out.set(*std::move(name), *std::move(value));
  }
  return out;
}

/// What the wrapper is given: a text, because the query and the headers could be taken for Extended JSON, and
/// the body if there is one.
json::Array request_of(const Call& call, const json::Object& context) {
  json::Object request{{"query", query_of_request(call)},
                       {"httpMethod", call.request.method},
                       {"route", endpoint_route_of(path_of(call.request.url))},
                       {"rawQueryString", *context.find("rawQueryString")},
                       {"headers", *context.find("requestHeaders")}};
  json::Array out{json::write(std::move(request))};
  if (!call.request.body.empty()) {
    out.emplace_back(json::Object{
        {"$binary", json::Object{{"base64", crypto::base64_encode(call.request.body)}, {"subType", "00"}}}});
  }
  return out;
}

/// What a function may not say for the server.
bool is_header_allowed(const std::string& name, const std::string& value) {
  constexpr std::array<std::string_view, 4> kOurs{"content-length", "transfer-encoding", "connection",
                                                  "x-appservices-request-id"};
  const auto is_token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  const auto is_text = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; };
  const bool is_ours = std::any_of(kOurs.begin(), kOurs.end(), [&](std::string_view ours) {
    return find_header({{name, {}}}, ours).has_value();
  });
  return !name.empty() && name.size() <= 256 && value.size() <= 8'192 && !is_ours &&
         std::all_of(name.begin(), name.end(), is_token) && std::all_of(value.begin(), value.end(), is_text);
}

Error bad_response(std::string why) {
  return refusal(ErrorCode::FunctionExecutionError, "the function's response: " + std::move(why));
}

/// JSON or EJSON, as `Accept` says, else the endpoint's setting (data-api.md 3).
bool wants_ejson(const Call& call, const json::Object& endpoint) {
  const std::string_view accept = find_header(call.request.headers, "accept").value_or("");
  if (accept.find("application/ejson") != std::string_view::npos) return true;
  if (accept.find("application/json") != std::string_view::npos) return false;
  return text_at(endpoint, "return_type") == "EJSON";
}

std::string text_body(const Ejson& body) {
  if (const auto* text = body.get_if<std::string>()) return *text;
  if (const auto* binary = body.get_if<BsonBinary>()) return binary->bytes;
  return body.is_null() ? std::string() : body.to_canonical();
}

/// RFC 9110 sections 15.3.5, 15.3.6, 15.4.5.
bool has_no_body(int status) { return status == 204 || status == 205 || status == 304; }

bool is_content_type(const std::string& name) {
  return find_header({{name, {}}}, "content-type").has_value();
}

Result<Answer> answer_of(const Call& call, const json::Object& endpoint, const json::Value& told) {
  auto read = Ejson::parse(json::write(told));
  if (!read) return bad_response("it has no form");
  Answer answer;
  const auto* status =
      read->find("status") == nullptr ? nullptr : read->find("status")->get_if<std::string>();
  const std::string digits = status == nullptr ? "" : *status;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), answer.status);
  if (fault != std::errc() || end != digits.data() + digits.size() || answer.status < 200 ||
      answer.status > 599) {
    return bad_response("a status must be 200 to 599");
  }
  if (const Ejson* lines = read->find("headers");
      lines != nullptr && lines->get_if<EjsonArray>() != nullptr) {
    for (const Ejson& line : *lines->get_if<EjsonArray>()) {
      const auto* pair = line.get_if<EjsonArray>();
      if (pair == nullptr || pair->size() != 2 || (*pair)[0].get_if<std::string>() == nullptr ||
          (*pair)[1].get_if<std::string>() == nullptr) {
        return bad_response("a header must have a name and a value");
      }
      std::string name = *(*pair)[0].get_if<std::string>();
      std::string value = *(*pair)[1].get_if<std::string>();
      if (!is_header_allowed(name, value)) return bad_response("a header is not allowed");
      answer.headers.emplace_back(std::move(name), std::move(value));
    }
  }
  if (flag_at(endpoint, "respond_result")) {
    const Ejson* result = read->find("result");
    const Ejson value = result == nullptr ? Ejson() : *result;
    const bool is_ejson = wants_ejson(call, endpoint);
    answer.body = is_ejson ? value.to_canonical() : json::write(plain_json(value));
    answer.content_type = is_ejson ? "application/ejson" : "application/json";
  } else if (const Ejson* body = read->find("body")) {
    answer.body = text_body(*body);
    answer.content_type = "text/plain; charset=utf-8";
  }
  if (has_no_body(answer.status)) {
    answer.body.clear();
    std::erase_if(answer.headers, [](const auto& line) { return is_content_type(line.first); });
  }
  if (find_header(answer.headers, "content-type")) answer.content_type.clear();
  return answer;
}

/// The function's own settings count where the endpoint says nothing of who it runs as.
json::Object rights_of(const json::Object& endpoint, const json::Object& function) {
  json::Object rights = endpoint;
  if (flag_at(function, "run_as_system")) rights.set("run_as_system", true);
  const auto says = [&](std::string_view name) { return !text_at(rights, name).empty(); };
  if (says("run_as_user_id") || says("run_as_user_id_script_source")) return rights;
  for (const char* name : {"run_as_user_id", "run_as_user_id_script_source"}) {
    const std::string_view own = text_at(function, name);
    if (!own.empty()) rights.set(name, own);
  }
  return rights;
}

Result<Answer> serve(Call& call) {
  call.app = call.services.directory.by_client_app_id(call.arguments[0]);
  if (call.app == nullptr) {
    return refusal(ErrorCode::AppUnknownError, 404,
                   "cannot find app using Client App ID '" + call.arguments[0] + "'");
  }
  auto endpoint = find_endpoint(call);
  if (!endpoint) return endpoint.error();
  if (auto checked = check_endpoint_secret(call, *endpoint); !checked) return checked.error();
  auto function = function_of(call, *endpoint);
  if (!function) return function.error();
  auto caller = endpoint_caller(call, rights_of(*endpoint, *function));
  if (!caller) return caller.error();
  const std::string name(text_at(*function, "name"));
  if (const json::Value* rule = function->find("can_evaluate")) {
    const auto allowed = may_evaluate(call, *rule, *caller);
    if (!allowed) return allowed.error();
    if (!*allowed) {
      return refusal(ErrorCode::FunctionExecutionError, "rule not matched for function \"" + name + "\"");
    }
  }

  json::Object context = function_request(call);
  const json::Array arguments = request_of(call, context);
  FunctionCall wanted{name, arguments, caller->user, std::move(context)};
  wanted.source = std::string(text_at(*function, "source")) + std::string(kEndpointSource);
  wanted.as_system = caller->is_system;
  wanted.log_type = "ENDPOINT";
  FunctionOutcome outcome = run_function(call, std::move(wanted));
  if (!outcome.result) return outcome.result.error();
  return answer_of(call, *endpoint, *outcome.result);
}

std::vector<Route> make_routes() {
  std::vector<Route> out;
  for (const std::string_view path : kEndpointPatterns) {
    for (const std::string_view method : kEndpointMethods) {
      out.push_back({method, path, protocol::Lane::function, Auth::none, Body::large, serve});
    }
  }
  return out;
}

}  // namespace

const std::vector<Route>& endpoint_routes() {
  static const std::vector<Route> kRoutes = make_routes();
  return kRoutes;
}

}  // namespace keyturn::server::api

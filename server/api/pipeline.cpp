// SPDX-License-Identifier: Apache-2.0
#include "server/api/pipeline.hpp"

#include <exception>
#include <utility>

#include "core/base/error_codes.hpp"
#include "core/base/object_id.hpp"
#include "core/crypto/crypto.hpp"
#include "core/protocol/error_body.hpp"
#include "core/protocol/routes.hpp"
#include "server/api/bearer.hpp"
#include "server/api/body.hpp"
#include "server/api/cors.hpp"
#include "server/api/possession.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {

using api::Answer;
using api::Auth;
using api::Call;
using api::Match;
using api::Route;
using api::Surface;

namespace {

constexpr std::string_view kClientApp = "/app/{}";
constexpr std::string_view kAdminApp = "/groups/{}/apps/{}";

bool begins_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// Whether pages in browsers may come with their app's id or bearer.
bool is_for_clients(Surface surface) { return surface == Surface::client || surface == Surface::endpoint; }

Error unauthorized() { return session_over("unauthorized"); }

/// admin-api.md 11.
std::string_view log_type_of(std::string_view path, Surface surface) {
  const auto has = [&](std::string_view part) { return path.find(part) != std::string_view::npos; };
  if (surface == Surface::admin || surface == Surface::internal) return "API";
  if (has("/functions/call")) return "FUNCTION";
  if (has("/endpoint/")) return "ENDPOINT";
  if (has("/push/")) return "PUSH";
  if (has("/auth/api_keys")) return "API_KEY";
  return "AUTH";
}

}  // namespace

struct Api::Pipeline::Exchange {
  Call call;
  Surface surface = Surface::plain;
  BootTime began;
  bool is_preflight = false;
  std::string allow = {};  ///< Methods, for a 405.
  // For the log.
  std::string error_code = {};
  std::string reason = {};
  std::string detail = {};
};

namespace {

/// Log-ins, registrations, log-outs: what administrators look for besides refusals. Not the refresh, of which
/// there are too many.
template <class Exchange>
bool is_account_event(const Exchange& exchange) {
  const Call& call = exchange.call;
  if (exchange.surface != Surface::client || exchange.is_preflight || call.request.method == "GET")
    return false;
  const std::string_view path = api::path_of(call.request.url);
  return path.find("/auth/") != std::string_view::npos &&
         !(call.request.method == "POST" && path == protocol::kSessionPath);
}

}  // namespace

Api::Pipeline::Pipeline(const ApiServices& services, ApiOptions options)
    : services_(services),
      options_(std::move(options)),
      log_(services.log != nullptr ? *services.log : own_log_),
      id_prefix_(crypto::random_bytes(5)) {
  router_.add(Surface::plain, api::health_routes());
  for (const auto* routes :
       {&api::client_auth_routes(), &api::client_session_routes(), &api::client_password_routes(),
        &api::client_key_routes(), &api::client_watch_routes(), &api::client_call_routes(),
        &api::client_push_routes()}) {
    router_.add(Surface::client, *routes);
  }
  for (const auto* routes :
       {&api::admin_auth_routes(), &api::admin_app_routes(), &api::admin_user_routes(),
        &api::admin_registration_routes(), &api::admin_provider_routes(), &api::admin_security_routes(),
        &api::admin_secret_routes(), &api::admin_document_routes(), &api::admin_function_routes(),
        &api::admin_push_routes(), &api::admin_data_api_routes(), &api::admin_service_routes(),
        &api::admin_index_routes(), &api::admin_settings_routes(), &api::admin_deployment_routes(),
        &api::admin_dependency_routes(), &api::admin_log_routes()}) {
    router_.add(Surface::admin, *routes);
  }
  router_.add(Surface::endpoint, api::data_api_routes());
  router_.add(Surface::endpoint, api::endpoint_routes());
  router_.add(Surface::internal, api::private_routes());
  refresh_ = router_.match("POST", protocol::kSessionPath);
}

Match Api::Pipeline::match(std::string_view method, std::string_view target) const noexcept {
  if (target == protocol::kSessionPath && method == "POST") return refresh_;
  return router_.match(method, api::path_of(target));
}

std::string Api::Pipeline::new_request_id(WallTime now) {
  const std::uint32_t count = id_counter_.fetch_add(1, std::memory_order_relaxed);
  std::string bytes = id_prefix_;
  for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>((count >> shift) & 0xFFU);
  return make_object_id(now, bytes);
}

protocol::Reply Api::Pipeline::reply(const HttpRequest& request, const protocol::ClientAddress& client) {
  const WallTime now = services_.clock.wall_now();
  const Match found = match(request.method, request.url);
  Exchange exchange{Call{services_, options_, log_, possession_, request, new_request_id(now), now},
                    found.surface, services_.clock.boot_now()};
  exchange.call.remote_address = client.address;
  exchange.call.origin.address = client.counted_as;
  try {
    Result<Answer> outcome = run(exchange, found);
    HttpResponse response = render(exchange, outcome);
    if (!outcome || outcome->stream == nullptr) return response;
    return {std::move(response), std::move(outcome->stream)};
  } catch (const std::exception& fault) {
    exchange.detail = fault.what();
    return render(exchange, Error(ErrorCode::InternalServerError, "internal server error"));
  }
}

HttpResponse Api::Pipeline::refuse(int status, std::string_view why, const HttpRequest& head) {
  const WallTime now = services_.clock.wall_now();
  const Match found = match(head.method, head.url);
  Exchange exchange{Call{services_, options_, log_, possession_, head, new_request_id(now), now},
                    found.surface, services_.clock.boot_now()};
  try {
    for (std::size_t i = 0; i < found.argument_count; ++i) {
      exchange.call.arguments[i] = api::percent_decode(found.arguments[i]).value_or("");
    }
    if (is_for_clients(found.surface)) static_cast<void>(find_app(exchange.call, found));
    if (status == 405) exchange.allow = router_.allowed(api::path_of(head.url));
    const ErrorCode code = status == 503   ? ErrorCode::ServiceUnavailable
                           : status == 429 ? ErrorCode::TooManyRequests
                           : status >= 500 ? ErrorCode::InternalServerError
                                           : ErrorCode::BadRequest;
    return render(exchange, refusal(code, status, std::string(why)));
  } catch (const std::exception& fault) {
    exchange.detail = fault.what();
    return render(exchange, Error(ErrorCode::InternalServerError, "internal server error"));
  }
}

Result<Answer> Api::Pipeline::run(Exchange& exchange, const Match& found) {
  Call& call = exchange.call;
  for (std::size_t i = 0; i < found.argument_count; ++i) {
    auto decoded = api::percent_decode(found.arguments[i]);
    if (!decoded) return refusal(ErrorCode::BadRequest, "invalid escape in the path");
    call.arguments[i] = *std::move(decoded);
  }
  if (is_for_clients(found.surface) && call.request.method == "OPTIONS") {
    exchange.is_preflight = true;
    static_cast<void>(find_app(call, found));
    return api::no_content();
  }
  if (found.route == nullptr) {
    if (!found.path_exists) return refusal(ErrorCode::AppUnknownError, 404, "not found");
    if (is_for_clients(found.surface)) static_cast<void>(find_app(call, found));
    exchange.allow = router_.allowed(api::path_of(call.request.url));
    return refusal(ErrorCode::AppUnknownError, 405, "method not allowed");
  }
  const Route& route = *found.route;
  call.kind = route.kind;
  if (is_for_clients(found.surface)) {
    if (auto known = find_app(call, found); !known) return known.error();
  }
  if (auto known = authenticate(call, route); !known) return known.error();
  if (!is_for_clients(found.surface)) {  // administrators only learn which apps there are
    if (auto known = find_app(call, found); !known) return known.error();
  }
  if (call.request.body.size() > api::body_limit(route.body, found.surface)) {
    return refusal(ErrorCode::BadRequest, 413, "request body too large");
  }
  auto body = api::read_body(route.body, call.request.body);
  if (!body) return body.error();
  call.body = *std::move(body);
  return route.handler(call);
}

Result<void> Api::Pipeline::find_app(Call& call, const Match& found) const {
  if (found.pattern.empty()) return {};
  if (is_for_clients(found.surface) && begins_with(found.pattern, kClientApp)) {
    call.app = services_.directory.by_client_app_id(call.arguments[0]);
    if (call.app != nullptr) return {};
    return refusal(ErrorCode::AppUnknownError, 404,
                   "cannot find app using Client App ID '" + call.arguments[0] + "'");
  }
  if (!is_for_clients(found.surface) && begins_with(found.pattern, "/groups/{}")) {
    if (call.arguments[0] != services_.apps.group_id()) {
      return refusal(ErrorCode::AppUnknownError, 404, "group not found");
    }
    if (!begins_with(found.pattern, kAdminApp)) return {};
    call.app = services_.directory.by_id(call.arguments[1]);
    if (call.app != nullptr) return {};
    return refusal(ErrorCode::AppUnknownError, 404, "app not found");
  }
  return {};
}

Result<void> Api::Pipeline::authenticate(Call& call, const Route& route) {
  if (route.auth == Auth::none) return {};
  const bool is_call = route.body == api::Body::function || route.auth == Auth::stream;
  auto bearer = api::read_bearer(call.request.headers, is_call ? "unauthorized" : api::kWantBearer);
  if (route.auth == Auth::stream && !find_header(call.request.headers, "authorization")) {
    call.query_bearer = call.parameter("baas_at").value_or("");
    if (!call.query_bearer.empty()) bearer = std::string_view(call.query_bearer);
  }
  if (!bearer) return bearer.error();
  call.bearer = *bearer;
  if (route.auth == Auth::session || route.auth == Auth::admin_session) return {};

  const bool is_refresh = route.auth == Auth::refresh;
  auto key = is_refresh ? api::proven_key(call) : Result<std::string>(std::string());
  if (!key) return key.error();
  auto caller =
      is_refresh ? services_.sessions.check_refresh(*bearer, *key) : services_.sessions.check_access(*bearer);
  if (!caller) return caller.error();
  // Administrators are users of an app of their own, which neither surface mixes with the others.
  if (caller->app->app.is_admin_realm != (route.auth == Auth::admin)) return unauthorized();
  if (call.app != nullptr && call.app->app.id != caller->app->app.id) {
    return refusal(ErrorCode::UserAppDomainMismatch, "the token belongs to another app");
  }
  if (route.auth != Auth::admin) call.app = caller->app;
  call.caller = *std::move(caller);
  return {};
}

HttpResponse Api::Pipeline::render(Exchange& exchange, const Result<Answer>& outcome) {
  HttpResponse response;
  response.headers.reserve(8);
  if (outcome) {
    response.status = outcome->status;
    response.body = outcome->body;
    if (is_account_event(exchange)) log_event(exchange, response.status, {}, {});
  } else {
    response = render_error(exchange, outcome.error());
  }
  const bool is_stream = outcome && outcome->stream != nullptr;
  if (is_stream) response.headers.emplace_back("Content-Type", "text/event-stream");
  if (outcome)
    response.headers.insert(response.headers.end(), outcome->headers.begin(), outcome->headers.end());
  if (!response.body.empty() && !find_header(response.headers, "content-type")) {
    const bool is_own = outcome && !outcome->content_type.empty();
    response.headers.emplace_back("Content-Type",
                                  is_own ? outcome->content_type : protocol::kJsonContentType);
  }
  response.headers.emplace_back(protocol::kRequestIdHeader, exchange.call.request_id);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (find_header(exchange.call.request.headers, api::kProofHeader)) {  // RFC 9449 section 8.2
    response.headers.emplace_back(api::kNonceHeader, possession_.nonce(exchange.call.started));
  }
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (is_for_clients(exchange.surface)) {
    api::add_cors(response, exchange.call.request, services_.directory, exchange.call.app.get());
    if (exchange.is_preflight) api::add_preflight(response, exchange.call.request);
  }
  if (options_.on_access) record(exchange, response.status);
  return response;
}

HttpResponse Api::Pipeline::render_error(Exchange& exchange, Error error) {
  Call& call = exchange.call;
  HttpResponse response;
  // A code that is never sent stands for a fault of our own (a store that cannot be read).
  const bool is_inner = base::row_of(error.code).status == 0;
  if (is_inner) {
    const bool passes = error.remedy == Remedy::retry_later;
    exchange.detail = error.message;
    error = refusal(passes ? ErrorCode::ServiceUnavailable : ErrorCode::InternalServerError,
                    "internal server error");
  }
  response.status = protocol::status_of(error);
  if (error.code == ErrorCode::ServiceUnavailable) {  // the cause is the operator's to know (row B-73)
    if (!is_inner) exchange.detail = error.message;
    error.message = "the server cannot answer at the moment";
  }
  // A bearer that is over was still one of some app of ours, and the link helps its owner.
  if (call.app == nullptr && !call.bearer.empty() && is_for_clients(exchange.surface)) {
    if (auto token = check_token(services_.directory, call.bearer);
        token && !token->app->app.is_admin_realm) {
      call.app = token->app;
    }
  }
  std::string link;
  if (call.app != nullptr) {
    const App& app = call.app->app;
    link = call.base_url() + "/groups/" + app.group_id + "/apps/" + app.id + "/logs?co_id=" + call.request_id;
  }
  const protocol::ErrorBody body = protocol::error_body_of(error, std::move(link));
  response.body = protocol::write_error_body(body);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (response.status == 429 || response.status == 503)
    response.headers.emplace_back("Retry-After", std::to_string(call.origin.retry_after.count()));
  if (!exchange.allow.empty()) response.headers.emplace_back("Allow", exchange.allow);
  if (exchange.detail.empty()) exchange.detail = call.withheld;
  exchange.error_code = body.error_code;
  exchange.reason = body.reason;
  log_event(exchange, response.status, body.error, body.error_code);
  return response;
}

void Api::Pipeline::log_event(const Exchange& exchange, int status, std::string error,
                              std::string error_code) {
  const Call& call = exchange.call;
  if (call.app == nullptr || call.is_logged) return;
  const App& app = call.app->app;
  AppLogEntry entry;
  entry.request_id = call.request_id;
  entry.app_id = app.id;
  entry.user_id = call.caller ? call.caller->principal.user_id : call.user_id;
  entry.domain_id = app.domain_id;
  entry.group_id = app.group_id;
  entry.method = call.request.method;
  entry.path = api::path_of(call.request.url);
  entry.type = log_type_of(entry.path, exchange.surface);
  entry.status = status;
  entry.started = call.started;
  entry.completed = services_.clock.wall_now();
  entry.error = std::move(error);
  entry.error_code = std::move(error_code);
  log_.add(std::move(entry));
}

void Api::Pipeline::record(const Exchange& exchange, int status) const {
  const Call& call = exchange.call;
  AccessRecord record;
  record.request_id = call.request_id;
  record.method = call.request.method;
  record.path = api::path_of(call.request.url);
  record.status = status;
  record.duration = services_.clock.boot_now() - exchange.began;
  if (const AppView* app = call.app != nullptr ? call.app.get() : call.bearer_app.get())
    record.app_id = app->app.id;
  record.error_code = exchange.error_code;
  record.reason = exchange.reason;
  record.detail = exchange.detail;
  options_.on_access(record);
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/protocol/messages.hpp"
#include "server/api/bearer.hpp"
#include "server/api/call.hpp"
#include "server/api/possession.hpp"
#include "server/api/push_registrations.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Location, log-in, link, profile, delete (client-api.md 6, 7, 10).
namespace keyturn::server::api {
namespace {

Result<Answer> location(Call& call) {
  protocol::Location out;
  out.hostname = call.base_url();
  const auto scheme_end = out.hostname.find("://");
  out.ws_hostname =
      (out.hostname.substr(0, scheme_end) == "https" ? "wss" : "ws") + out.hostname.substr(scheme_end);
  out.deployment_model = call.app->app.deployment_model;
  out.location = call.app->app.location;
  return text_answer(protocol::write_location(out));
}

Result<LoginTokens> log_in_or_link(Call& call, std::string_view provider,
                                   const protocol::LoginRequest& login) {
  const json::Object* device = login.device ? &*login.device : nullptr;
  if (call.parameter("link") != "true") {
    auto key = proven_key(call);
    if (!key) return key.error();
    return call.services.sessions.log_in(*call.app, provider, login.credentials, device, *key, &call.origin);
  }
  return call.services.sessions.link(*call.caller, provider, login.credentials, device, &call.origin);
}

/// The bearer of a link; other log-ins ignore whatever header there is (client-api.md 1.3).
Result<void> authenticate_link(Call& call) {
  auto bearer = read_bearer(call.request.headers, kWantBearer);
  if (!bearer) return bearer.error();
  call.bearer = *bearer;
  auto caller = call.services.sessions.check_access(*bearer);
  if (!caller) return caller.error();
  if (caller->app->app.id != call.app_id()) {
    return refusal(ErrorCode::UserAppDomainMismatch, "the token belongs to another app");
  }
  call.caller = *std::move(caller);
  return {};
}

Result<Answer> log_in_with(Call& call, std::string_view provider) {
  if (call.parameter("link") == "true") {
    if (auto known = authenticate_link(call); !known) return known.error();
  }
  auto login = protocol::parse_login_request(call.request.body);
  if (!login) return login.error();
  auto tokens = log_in_or_link(call, provider, *login);
  if (!tokens) return tokens.error();
  call.user_id = tokens->user_id;
  return text_answer(render_login(*std::move(tokens)));
}

Result<Answer> log_in_with_password(Call& call) { return log_in_with(call, "local-userpass"); }
Result<Answer> log_in_with_function(Call& call) { return log_in_with(call, "custom-function"); }
Result<Answer> log_in(Call& call) { return log_in_with(call, call.arguments[1]); }

/// The redirect flow of OAuth2 (client-api.md 16), which no provider here offers.
Result<Answer> redirect_log_in(Call& call) { return provider_unsupported(call.arguments[1]); }

Result<Answer> profile(Call& call) {
  auto user = call.services.users.get(call.app_id(), call.caller->principal.user_id);
  if (!user && user.error().code == ErrorCode::UserNotFound) {
    return session_over("invalid session", EndReason::user_deleted);
  }
  if (!user) return user.error();
  return text_answer(protocol::write_profile(profile_of(*call.app, *user)));
}

Result<Answer> delete_user(Call& call) {
  auto done = call.services.users.remove(call.app_id(), call.caller->principal.user_id);
  if (!done && done.error().code == ErrorCode::UserNotFound) {
    return session_over("invalid session", EndReason::user_deleted);
  }
  if (done) forget_push_registrations(call, call.caller->principal.user_id);
  return no_content_of(done);
}

}  // namespace

const std::vector<Route>& client_auth_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/app/{}/location", Lane::immediate, Auth::none, Body::ignored, location},
      {"POST", "/app/{}/auth/providers/local-userpass/login", Lane::password, Auth::none, Body::raw,
       log_in_with_password},
      {"POST", "/app/{}/auth/providers/custom-function/login", Lane::function, Auth::none, Body::raw,
       log_in_with_function},
      {"POST", "/app/{}/auth/providers/{}/login", Lane::storage, Auth::none, Body::raw, log_in},
      {"GET", "/app/{}/auth/providers/{}/login", Lane::immediate, Auth::none, Body::ignored, redirect_log_in},
      {"GET", "/auth/profile", Lane::immediate, Auth::access, Body::ignored, profile},
      {"DELETE", "/auth/delete", Lane::storage, Auth::access, Body::ignored, delete_user},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

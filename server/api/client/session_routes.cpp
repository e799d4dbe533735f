// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/protocol/messages.hpp"
#include "server/api/call.hpp"
#include "server/api/possession.hpp"
#include "server/api/render.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/sessions/session_family.hpp"

// Refresh and log-out (client-api.md 10), and a user's view of the own sessions.
namespace keyturn::server::api {
namespace {

/// Administrators refresh and log out where the admin API is (row B-43).
Error not_of_clients() { return session_over("unauthorized"); }

Result<Answer> refresh(Call& call) {
  auto key = proven_key(call);
  if (!key) return key.error();
  auto token = call.services.sessions.refresh(call.bearer, *key, &call.bearer_app);
  if (!token) return token.error();
  if (call.bearer_app->app.is_admin_realm) return not_of_clients();
  return text_answer(protocol::write_session_response({*std::move(token)}), 201);
}

Result<Answer> log_out(Call& call) {
  const auto token = check_token(call.services.directory, call.bearer);
  if (token && token->app->app.is_admin_realm) return not_of_clients();
  return no_content_of(call.services.sessions.log_out(call.bearer));
}

Result<std::vector<Session>> own_sessions(Call& call) {
  return call.services.sessions.list(call.app_id(), call.caller->principal.user_id);
}

/// The log-in that the caller's session goes back to: a session that linking made and the one it was made
/// from are one log-in of one device.
std::string own_family(const Call& call, const std::vector<Session>& sessions) {
  const std::string& own = call.caller->principal.session_id;
  const auto found =
      std::find_if(sessions.begin(), sessions.end(), [&](const Session& s) { return s.id == own; });
  return found == sessions.end() ? own : family_of(*found);
}

Result<Answer> list_sessions(Call& call) {
  auto sessions = own_sessions(call);
  if (!sessions) return sessions.error();
  const std::string family = own_family(call, *sessions);
  std::vector<protocol::SessionMessage> out;
  for (const Session& each : *sessions) {
    out.push_back(session_message(each));
    out.back().current = family_of(each) == family;
  }
  return text_answer(protocol::write_sessions(out));
}

Result<Answer> end_session(Call& call) {
  auto ended =
      call.services.sessions.revoke(call.app_id(), call.caller->principal.user_id, call.arguments[0]);
  if (!ended) return ended.error();
  if (!*ended) return refusal(ErrorCode::AppUnknownError, 404, "session not found");
  return no_content();
}

Result<Answer> end_other_sessions(Call& call) {
  if (call.parameter("others") != "true") {
    return refusal(ErrorCode::BadRequest, "name a session, or give others=true to end all but this one");
  }
  auto sessions = own_sessions(call);
  if (!sessions) return sessions.error();
  const std::string family = own_family(call, *sessions);
  for (const Session& each : *sessions) {
    if (family_of(each) == family) continue;
    auto ended = call.services.sessions.revoke(call.app_id(), call.caller->principal.user_id, each.id);
    if (!ended) return ended.error();
  }
  return no_content();
}

}  // namespace

const std::vector<Route>& client_session_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"POST", "/auth/session", Lane::immediate, Auth::session, Body::ignored, refresh},
      {"DELETE", "/auth/session", Lane::storage, Auth::session, Body::ignored, log_out},
      {"GET", "/auth/sessions", Lane::storage, Auth::access, Body::ignored, list_sessions},
      {"DELETE", "/auth/sessions", Lane::storage, Auth::access, Body::ignored, end_other_sessions},
      {"DELETE", "/auth/sessions/{}", Lane::storage, Auth::access, Body::ignored, end_session},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

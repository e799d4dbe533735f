// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/session_service.hpp"

#include <algorithm>
#include <utility>

#include "core/jwt/jwt.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/sessions/session_family.hpp"

namespace keyturn::server {
namespace {

constexpr std::string_view kWrongRefreshType = "invalid refresh token: incorrect token type";
constexpr std::string_view kWrongAccessType = "invalid access token: incorrect token type";
constexpr std::string_view kOver = "invalid session";
constexpr std::string_view kLogOutOver = "invalid session: failed to find refresh token";

/// The verdict of form and clock on a token, before its session is looked at.
Result<CheckedToken> check_form(const AppDirectory& directory, std::string_view compact, TokenType type,
                                std::string_view over_text, WallTime now) {
  auto token = check_token(directory, compact);
  const bool is_access = type == TokenType::access;
  if (!token) return is_access ? token.error() : session_over(std::string(over_text));
  if (token->claims.type != type)
    return session_over(std::string(is_access ? kWrongAccessType : kWrongRefreshType));
  switch (jwt::validity_at({token->claims.issued_at, token->claims.expires_at}, std::nullopt, now)) {
    case jwt::Validity::valid:
      return token;
    case jwt::Validity::expired:
      if (is_access) return session_over("invalid session: access token expired");
      return session_over(std::string(over_text), EndReason::expired);
    case jwt::Validity::not_yet:
      break;
  }
  // We signed it, so the clock was set back: no verdict on the session (rules V1, V10).
  return refusal(ErrorCode::ServiceUnavailable, "the server's clock is behind the token");
}

bool names_session(const SessionState& state, const CheckedToken& token) {
  return state.app_id == token.app->app.id && state.user_id == token.claims.user_id;
}

}  // namespace

SessionService::SessionService(const AppDirectory& directory, SessionStore& sessions, UserStore& users,
                               Clock& clock, std::vector<IdentityProvider*> providers,
                               FunctionRuntime* functions, UserDataClaims* user_data, GuessLimiter* guesses)
    : directory_(directory),
      sessions_(sessions),
      users_(users),
      clock_(clock),
      providers_(std::move(providers)),
      functions_(functions),
      user_data_(user_data),
      guesses_(guesses),
      started_(clock.wall_now()) {}

Result<Caller> SessionService::check(std::string_view token, TokenType type, std::string_view over_text) {
  const WallTime now = clock_.wall_now();
  auto checked = check_form(directory_, token, type, over_text, now);
  if (!checked) return checked.error();
  auto found = sessions_.find(checked->claims.session_id);
  if (!found) return unavailable(found.error());
  std::optional<SessionState>& state = *found;
  if (!state || !names_session(*state, *checked)) return session_over(std::string(over_text));
  const EndReason reason = end_reason(*checked->app, checked->claims.session_id, *state, now);
  if (reason != EndReason::none) return session_over(std::string(over_text), reason);
  note_use(*checked->app, checked->claims.session_id, *state, now);

  Caller caller;
  caller.principal = {checked->app->app.id, checked->claims.user_id, checked->claims.session_id,
                      checked->claims.device_id, std::move(state->provider_type)};
  caller.app = std::move(checked->app);
  caller.claims = std::move(checked->claims);
  return caller;
}

Result<Caller> SessionService::check_access(std::string_view token) {
  return check(token, TokenType::access, kOver);
}

Result<Caller> SessionService::check_refresh(std::string_view token, std::string_view key_thumbprint) {
  auto caller = check(token, TokenType::refresh, kOver);
  if (!caller) return caller;
  const std::string& bound_to = caller->claims.key_thumbprint;
  if (bound_to.empty() && caller->app->app.require_bound_sessions)
    return refusal(ErrorCode::InvalidDpopProof,
                   "this app refreshes only sessions that are bound to a key (DPoP): log in with one");
  if (bound_to.empty() || bound_to == key_thumbprint) return caller;
  return refusal(ErrorCode::InvalidDpopProof,
                 key_thumbprint.empty() ? "the session is bound to a key: a proof of possession is needed"
                                        : "the session is bound to another key");
}

Result<Secret> SessionService::refresh(std::string_view refresh_token, std::string_view key_thumbprint,
                                       std::shared_ptr<const AppView>* app) {
  auto caller = check_refresh(refresh_token, key_thumbprint);
  if (!caller) return caller.error();
  const std::string user_data = user_data_for(caller->app->app, caller->principal.user_id);
  Secret token(mint_access_token(*caller->app, caller->claims, clock_.wall_now(), user_data));
  if (app != nullptr) *app = std::move(caller->app);
  return token;
}

std::string SessionService::user_data_for(const App& app, std::string_view user_id) {
  return user_data_ == nullptr ? std::string() : user_data_->claim_for(app, user_id);
}

Result<void> SessionService::log_out(std::string_view refresh_token) {
  auto caller = check(refresh_token, TokenType::refresh, kLogOutOver);
  if (!caller) return caller.error();
  const Principal& who = caller->principal;
  const WallTime now = clock_.wall_now();
  auto outcome = end_with_family(who.app_id, who.user_id, who.session_id, EndReason::logged_out, now);
  if (!outcome) return outcome.error();
  switch (*outcome) {
    case EndOutcome::ended:
      return {};
    case EndOutcome::unknown:
      return session_over(std::string(kLogOutOver));
    case EndOutcome::already_ended:
      break;
  }
  auto state = sessions_.find(who.session_id);
  if (!state) return unavailable(state.error());
  return session_over(std::string(kLogOutOver), *state ? (*state)->reason : EndReason::none);
}

Result<EndOutcome> SessionService::end_with_family(std::string_view app_id, std::string_view user_id,
                                                   std::string_view session_id, EndReason reason,
                                                   WallTime now) {
  std::string family(session_id);
  const auto end_relatives = [&]() -> Result<void> {
    auto live = sessions_.list(app_id, user_id);
    if (!live) return unavailable(live.error());
    for (const Session& each : *live) {
      if (each.id == session_id) family = family_of(each);
    }
    for (const Session& each : *live) {
      if (each.id == session_id || family_of(each) != family) continue;
      if (auto ended = sessions_.end(app_id, user_id, each.id, reason, now); !ended)
        return unavailable(ended.error());
    }
    return {};
  };
  // The relatives first: when that fails, this session lives and the call can be tried again.
  if (auto relatives = end_relatives(); !relatives) return relatives.error();
  auto outcome = sessions_.end(app_id, user_id, session_id, reason, now);
  if (!outcome) return unavailable(outcome.error());
  // And again, for a link that was under way: one that has not opened its session yet sees that this one is
  // over.
  if (*outcome == EndOutcome::ended) static_cast<void>(end_relatives());
  return outcome;
}

Result<std::vector<Session>> SessionService::list(std::string_view app_id, std::string_view user_id) {
  auto sessions = sessions_.list(app_id, user_id);
  if (!sessions) return unavailable(sessions.error());
  const auto app = directory_.by_id(app_id);
  const auto realm = directory_.admin_realm();
  const AppView* view = app ? app.get() : (realm && realm->app.id == app_id ? realm.get() : nullptr);
  const WallTime now = clock_.wall_now();
  std::erase_if(*sessions, [&](Session& session) {
    session.last_used = std::max(session.last_used, noted_use(session.id));
    if (view == nullptr) return false;
    SessionState state{
        session.app_id,          session.user_id,   session.device_id,         session.provider_type,
        session.refresh_expires, session.last_used, session.ended.has_value(), session.reason};
    return end_reason(*view, session.id, state, now) != EndReason::none;
  });
  return sessions;
}

Result<bool> SessionService::revoke(std::string_view app_id, std::string_view user_id,
                                    std::string_view session_id) {
  auto outcome = end_with_family(app_id, user_id, session_id, EndReason::revoked, clock_.wall_now());
  if (!outcome) return outcome.error();
  return *outcome == EndOutcome::ended;
}

Result<int> SessionService::revoke_all(std::string_view app_id, std::string_view user_id,
                                       std::string_view except) {
  auto count = sessions_.end_all(app_id, user_id, except, EndReason::revoked, clock_.wall_now());
  if (!count) return unavailable(count.error());
  return count;
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/directory.hpp"
#include "server/domain/ports.hpp"
#include "server/domain/session_store.hpp"
#include "server/domain/token_issuer.hpp"
#include "server/domain/user_store.hpp"

namespace keyturn::server {

/// The four strings of a log-in answer (client-api.md 7.2).
struct LoginTokens {
  Secret access_token;
  Secret refresh_token;
  std::string user_id;
  std::string device_id;
};

/// A checked bearer: whose it is and under which app.
struct Caller {
  std::shared_ptr<const AppView> app;
  Principal principal;
  TokenClaims claims;
};

/// Whether a session may still be used. Pure, so that every boundary is tested.
/// Expired: `now` at or after `refresh_expires`. Idle: more than `refresh_idle` since `last_used`.
[[nodiscard]] EndReason session_end_reason(const SessionState& state, const TokenSettings& settings, WallTime now);

/// The rules of sessions: open, refresh, check, end.
///
/// Thread safety: all members. Waits only for the stores. Errors carry the code, text and `http_status` that go on the
/// wire; `reason` is set when a session that once was has ended (decisions.md).
class SessionService {
 public:

  SessionService(const AppDirectory& directory, SessionStore& sessions, UserStore& users, Clock& clock,
                 std::vector<IdentityProvider*> providers);

  /// client-api.md 7.1-7.4. `device` is the body's `options.device`, null when absent.
  Result<LoginTokens> log_in(const AppView& app, std::string_view provider_type, const json::Object& credentials,
                             const json::Object* device);
  /// client-api.md 7.3: adds the proven identity to the caller's user. Opens no new session for the same caller but
  /// answers tokens of a new one (row B-55) and ends the old.
  Result<LoginTokens> link(const Caller& caller, std::string_view provider_type, const json::Object& credentials,
                           const json::Object* device);

  /// Checks a bearer that must be an access token: signature, type, expiry, session row (client-api.md 1.3).
  Result<Caller> check_access(std::string_view token);
  /// The same for a refresh token: used by the API-key routes and by log-out.
  Result<Caller> check_refresh(std::string_view token);

  /// `POST auth/session`: one verification, one look at the row, one signature, no write.
  Result<Secret> refresh(std::string_view refresh_token);
  /// `DELETE auth/session`.
  Result<void> log_out(std::string_view refresh_token);

  /// Live sessions of a user.
  Result<std::vector<Session>> list(std::string_view app_id, std::string_view user_id);
  /// Ends one of the user's sessions with `revoked`. False: the user has no such live session.
  Result<bool> revoke(std::string_view app_id, std::string_view user_id, std::string_view session_id);
  /// Ends all of them but `except` (may be empty). Answers how many.
  Result<int> revoke_all(std::string_view app_id, std::string_view user_id, std::string_view except);

  /// Writes the gathered `last_used` times and purges what is long over. Called on a timer by the daemon.
  Result<void> housekeeping();

 private:
  Result<LoginTokens> open_session(const AppView& app, const User& user, const Identity& identity,
                                   const json::Object* device);
  Result<Caller> check(std::string_view token, TokenType type);
  void note_use(std::string_view session_id, WallTime now);

  const AppDirectory& directory_;
  SessionStore& sessions_;
  UserStore& users_;
  Clock& clock_;
  std::vector<IdentityProvider*> providers_;
  std::mutex last_used_mutex_;
  std::map<std::string, WallTime, std::less<>> last_used_;  ///< Bounded: flushed early when it grows (session_service.cpp).
};

}  // namespace keyturn::server

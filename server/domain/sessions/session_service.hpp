// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/data/custom_user_data_claim.hpp"
#include "server/domain/ports.hpp"
#include "server/domain/sessions/guess_limiter.hpp"
#include "server/domain/sessions/proven_credentials.hpp"
#include "server/domain/sessions/session_store.hpp"
#include "server/domain/sessions/token_issuer.hpp"

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

/// Where credentials come from, and when they may come again.
struct LoginOrigin {
  std::string_view address{};           ///< Of the client; empty: not limited by address.
  std::chrono::seconds retry_after{1};  ///< Set with `TooManyRequests`.
};

/// The id of a log-in without a device object (client-api.md 8).
inline constexpr std::string_view kNoDevice = "000000000000000000000000";
/// Life of an anonymous user's refresh token: that of the user (decisions.md, client-api.md 4.3).
inline constexpr std::chrono::seconds kAnonymousRefreshLifetime{1'576'800'000};

/// Whether a session may still be used. Pure, so that every boundary is tested.
/// Expired: `now` at or after `refresh_expires`. Idle: more than `refresh_idle` since `last_used`; never for
/// anonymous users, who could not log in again.
[[nodiscard]] EndReason session_end_reason(const SessionState& state, const TokenSettings& settings,
                                           WallTime now);

/// The rules of sessions: open, refresh, check, end.
///
/// `functions` may be null: then an app with a user-creation function gets no new users. `user_data` may be
/// null: then no token carries custom user data. `guesses` may be null: then passwords may be tried without
/// end.
/// Thread safety: all members. Waits only for the stores. Errors carry the code, text and `http_status` that
/// go on the wire; `reason` is set when a session that once was has ended (decisions.md).
class SessionService {
 public:
  SessionService(const AppDirectory& directory, SessionStore& sessions, UserStore& users, Clock& clock,
                 std::vector<IdentityProvider*> providers, FunctionRuntime* functions = nullptr,
                 UserDataClaims* user_data = nullptr, GuessLimiter* guesses = nullptr);

  /// client-api.md 7.1-7.4. `device` is the body's `options.device`, null when absent. A `key_thumbprint`
  /// that the caller has checked (PossessionRules) binds the session to that key for good; empty: a bearer
  /// session. `origin` may be null. Errors besides: `TooManyRequests` 429 after too many wrong passwords.
  Result<LoginTokens> log_in(const AppView& app, std::string_view provider_type,
                             const json::Object& credentials, const json::Object* device,
                             std::string_view key_thumbprint = {}, LoginOrigin* origin = nullptr);
  /// Checks credentials by the rules of `log_in`, but opens no session: for requests that bring their
  /// credentials themselves (data-api.md 2). Answers the user, who exists and is enabled at this moment.
  /// `may_create`: an unknown identity makes a user, where its provider lets it. A password that was right
  /// before and has not changed since is not hashed again.
  Result<User> identify(const AppView& app, std::string_view provider_type, const json::Object& credentials,
                        bool may_create, LoginOrigin* origin = nullptr);
  /// Whether `identify` would not have to hash that password.
  [[nodiscard]] bool knows_password(const AppView& app, std::string_view email,
                                    std::string_view password) const;
  /// client-api.md 7.3: adds the proven identity to the caller's user and answers tokens of a new session
  /// (row B-55). The old session stays, since existing clients take the new access token and keep the old
  /// refresh token; the two are of one family, and whatever ends one by log-out or `revoke` ends both. The
  /// new one is bound to the key that the old one is bound to.
  Result<LoginTokens> link(const Caller& caller, std::string_view provider_type,
                           const json::Object& credentials, const json::Object* device,
                           LoginOrigin* origin = nullptr);

  /// Checks a bearer that must be an access token: signature, type, expiry, session row (client-api.md 1.3).
  Result<Caller> check_access(std::string_view token);
  /// The same for a refresh token: used by the API-key routes. Errors besides: `InvalidDpopProof` when the
  /// session is bound to another key than the proven one, or to none although the app requires it
  /// (`App::require_bound_sessions`); no verdict on the session.
  Result<Caller> check_refresh(std::string_view token, std::string_view key_thumbprint = {});

  /// `POST auth/session`: one verification, one look at the row, one signature, no write; one read of a
  /// document besides where the app's tokens carry custom user data. Errors as `check_refresh`.
  /// `app` gets the app of the token, unless it is null or the token is refused.
  Result<Secret> refresh(std::string_view refresh_token, std::string_view key_thumbprint = {},
                         std::shared_ptr<const AppView>* app = nullptr);
  /// `DELETE auth/session`. Needs no proof of possession: a device that has lost its key may still log out.
  Result<void> log_out(std::string_view refresh_token);

  /// Live sessions of a user.
  Result<std::vector<Session>> list(std::string_view app_id, std::string_view user_id);
  /// Ends one of the user's sessions with `revoked`. False: the user has no such live session.
  Result<bool> revoke(std::string_view app_id, std::string_view user_id, std::string_view session_id);
  /// Ends all of them but `except` (may be empty). Answers how many.
  Result<int> revoke_all(std::string_view app_id, std::string_view user_id, std::string_view except);

  /// Writes the gathered `last_used` times and purges what is long over. Called on a timer by the daemon, at
  /// least every 60 s: uses of that long may be lost in a crash, and the idle limit allows for it.
  Result<void> housekeeping();

 private:
  struct Proof;
  struct LoginAttempt;
  /// The enabled provider and what checks it. Errors: `AuthProviderNotFound` 404.
  Result<Proof> find_provider(const AppView& app, std::string_view provider_type) const;
  /// Nothing: the user or the proof changed meanwhile, begin anew.
  Result<std::optional<LoginTokens>> try_log_in(const LoginAttempt& attempt);
  Result<std::optional<LoginTokens>> try_link(const Caller& caller, const LoginAttempt& attempt);
  Result<User> find_or_create_user(const LoginAttempt& attempt, const ProvenIdentity& proven,
                                   const Identity& identity);
  struct Opened {
    LoginTokens tokens;
    std::string session_id;
  };
  [[nodiscard]] std::string user_data_for(const App& app, std::string_view user_id);
  /// Asks the provider, unless too many passwords were wrong.
  Result<ProvenIdentity> prove(const LoginAttempt& attempt);
  Result<ProvenIdentity> prove_again(const LoginAttempt& attempt);
  Result<std::optional<Opened>> open_session(const LoginAttempt& attempt, const ProvenIdentity& proven,
                                             const User& user, const Identity& identity,
                                             std::string_view family);
  Result<std::string> device_id_for(const LoginAttempt& attempt, const User& user);

  /// `over_text` is the text for a session that has ended.
  Result<Caller> check(std::string_view token, TokenType type, std::string_view over_text);
  /// Raises `state.last_used` to what is known here.
  EndReason end_reason(const AppView& app, std::string_view session_id, SessionState& state,
                       WallTime now) const;
  /// Ends a session and those that linking made of the same log-in.
  Result<EndOutcome> end_with_family(std::string_view app_id, std::string_view user_id,
                                     std::string_view session_id, EndReason reason, WallTime now);
  void note_use(const AppView& app, std::string_view session_id, const SessionState& state, WallTime now);
  [[nodiscard]] WallTime noted_use(std::string_view session_id) const;
  Result<void> write_uses(std::size_t at_most);

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };

  const AppDirectory& directory_;
  SessionStore& sessions_;
  UserStore& users_;
  Clock& clock_;
  std::vector<IdentityProvider*> providers_;
  FunctionRuntime* functions_;
  UserDataClaims* user_data_;
  GuessLimiter* guesses_;
  ProvenCredentials proven_;
  WallTime started_;
  mutable std::mutex last_used_mutex_;
  /// Uses not written yet; at most `kMostNotedUses` (session_use.cpp).
  std::unordered_map<std::string, WallTime, TextHash, std::equal_to<>> last_used_;
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/http.hpp>
#include <keyturn/base/pending.hpp>
#include <keyturn/credentials.hpp>
#include <keyturn/ejson.hpp>
#include <keyturn/events.hpp>
#include <keyturn/mongo.hpp>
#include <keyturn/network.hpp>

namespace keyturn {

namespace sdk {
class UserCore;
}

/// One way in which the user can log in.
struct UserIdentity {
  std::string id;
  std::string provider_type;  ///< Wire name, "local-userpass".
};

/// An API key of the user; `key` is set in the answer of `create` only.
struct UserApiKey {
  std::string id;
  std::string name;
  std::string key;
  bool disabled = false;
};

/// One log-in of the user, here or on another device.
struct SessionInfo {
  std::string id;
  std::string provider_type;
  std::string device_id;
  std::string device_json;  ///< What the device said of itself, as a JSON object.
  std::chrono::sys_seconds created;
  std::chrono::sys_seconds last_used;
  bool current = false;  ///< The session of this handle.
};

/// The user's API keys (client-api.md 11). Thread safety, lifetime, errors: as `User`.
class ApiKeys {
 public:
  /// Errors: `APIKeyAlreadyExists`, `InvalidParameter`, and those of every call.
  Pending<UserApiKey> create(std::string name) const;
  Pending<std::vector<UserApiKey>> list() const;
  /// Errors: `APIKeyNotFound`.
  Pending<UserApiKey> get(std::string id) const;
  Pending<void> remove(std::string id) const;
  Pending<void> enable(std::string id) const;
  Pending<void> disable(std::string id) const;

 private:
  friend class User;
  explicit ApiKeys(std::shared_ptr<sdk::UserCore> core) : core_(std::move(core)) {}
  std::shared_ptr<sdk::UserCore> core_;
};

/// A handle to one account on this device. Copies refer to the same account.
///
/// Thread safety: every member may be called from any thread at any time.
/// Lifetime: a handle keeps the connection's shared parts alive, but not the `App`: after the `App` is gone,
/// what needs the network answers `ClientAppDeallocated`. Errors of every asynchronous call, besides its own:
/// `remedy` `retry_later` (network, server busy, store busy; the session is kept) and `log_in_again` (with
/// the reason). Cancellation: dropping a `Pending` abandons the wait, never a refresh that others share.
class User {
 public:
  /// The token held now, expired or not; empty when logged out. No I/O, no lock, wait-free: for tight loops.
  /// For requests of your own take `valid_access_token`.
  [[nodiscard]] std::string access_token() const;

  /// A token that stays valid for at least `min_validity`, refreshed first when needed. Concurrent calls
  /// share one refresh. When less than a fifth of its life is left the token is given at once and refreshed
  /// in the background. `min_validity` above half of the token's life counts as half, so that no server can
  /// make this loop. After a reboot of the machine nobody knows how old a stored token is: it is refreshed
  /// first, and given unrefreshed when the server cannot be reached, two seconds at most, and the wall clock
  /// has it still valid.
  Pending<std::string> valid_access_token(std::chrono::seconds min_validity = std::chrono::seconds{10}) const;

  /// Refreshes now, or joins the refresh that is under way.
  Pending<void> refresh_access_token() const;
  /// The same under its documented name: a new access token carries fresh custom data (sdk-behaviour.md
  /// section 4).
  Pending<void> refresh_custom_user_data() const;

  /// The refresh token held now; empty when logged out. It buys access tokens until it expires: treat it as a
  /// password.
  [[nodiscard]] std::string refresh_token() const;
  /// Whether the refresh token is good on this device only (`App::configuration::bind_sessions`).
  [[nodiscard]] bool is_bound_to_device() const;
  /// Whether the session can be refreshed by this device: fine for one that is not bound, and for one whose
  /// key can be had. Reads the key when it is not in memory; no network. Errors: `DeviceKeyUnavailable`, and
  /// those of the key's source.
  [[nodiscard]] Result<void> check_device_key() const;

  [[nodiscard]] std::string identifier() const;
  [[nodiscard]] UserState state() const;
  [[nodiscard]] bool is_logged_in() const { return state() == UserState::logged_in; }
  /// In order of linking, as last read at log-in, link or `refresh_profile`.
  [[nodiscard]] std::vector<UserIdentity> identities() const;
  /// Profile data as a JSON object, as last read.
  [[nodiscard]] std::string profile() const;
  /// Custom data as a JSON object, from the token held now; empty when there is none.
  [[nodiscard]] std::string custom_data() const;
  [[nodiscard]] std::string device_id() const;
  /// Why the last session ended; `none` while logged in.
  [[nodiscard]] EndReason end_reason() const;
  /// Whether refreshing works at the moment; no I/O.
  [[nodiscard]] RefreshCircuit refresh_circuit() const;

  /// Adds an identity to this user (client-api.md 7.3), then reads the profile.
  Pending<void> link(Credentials credentials) const;
  Pending<void> refresh_profile() const;
  [[nodiscard]] ApiKeys api_keys() const { return ApiKeys(core_); }

  /// Live sessions of this user on all devices.
  Pending<std::vector<SessionInfo>> sessions() const;
  /// Ends one session on whatever device.
  Pending<void> revoke_session(std::string session_id) const;
  /// Ends all sessions but this one.
  Pending<void> revoke_other_sessions() const;

  /// Calls a function of the app with arguments given as an EJSON array text; answers its result as EJSON
  /// text. Errors: `FunctionNotFound`, `FunctionExecutionError` with what the function threw,
  /// `ExecutionTimeLimitExceeded`; `InvalidParameter` for arguments that are no array.
  template <std::convertible_to<std::string> Text>
  Pending<std::string> call_function(std::string name, Text&& ejson_arguments) const {
    return call_function_text(std::move(name), std::forward<Text>(ejson_arguments));
  }
  /// Without arguments.
  Pending<std::string> call_function(std::string name) const {
    return call_function_text(std::move(name), "[]");
  }
  /// The same with typed values: `call_function("sum", {1, 2})`. What goes out is canonical, so the function
  /// sees an Int32 for an `int`, an Int64 for an `std::int64_t`, a Date for a `BsonDate`. What comes back
  /// keeps the type that the server wrote; a plain integer is an Int32 when it fits, else an Int64; a
  /// function without a result gives `BsonUndefined`. `Ejson::to_int64` and `to_double` read a number of
  /// whatever type.
  Pending<Ejson> call_function(std::string name, EjsonArray arguments) const;

  /// Documents of a linked service, "mongodb-atlas" for instance.
  [[nodiscard]] MongoClient mongo_client(std::string service) const { return {core_, std::move(service)}; }

  /// Sends a request with this user's access token to the app's own origin: refreshes when needed, and once
  /// more after a 401 of the server. `url` is absolute or a path. Any HTTP status is a result; only a missing
  /// answer is an error. Errors: `OriginNotAllowed` for another origin or scheme: the token is never sent
  /// there. Redirects are not followed.
  Pending<HttpResponse> request(HttpRequest request) const;

  /// Removes the tokens from this device at once, also offline, then tells the server as soon as it can be
  /// reached. The answer comes when the device has forgotten; it never fails for the network. A refresh under
  /// way is discarded. Errors: those of the store when its files still hold the tokens (`StoreLocked` after
  /// two seconds); it is tried again for as long as the app runs.
  Pending<void> log_out() const;

  /// Events of this user only.
  [[nodiscard]] Subscription subscribe(UserObserver observer) const;

  friend bool operator==(const User& a, const User& b) { return a.core_ == b.core_; }

 private:
  friend class App;
  explicit User(std::shared_ptr<sdk::UserCore> core) : core_(std::move(core)) {}
  Pending<std::string> call_function_text(std::string name, std::string ejson_arguments) const;
  std::shared_ptr<sdk::UserCore> core_;
};

}  // namespace keyturn

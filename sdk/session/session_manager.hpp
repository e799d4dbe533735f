// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>
#include <keyturn/base/pending.hpp>
#include <keyturn/events.hpp>

#include "core/json/value.hpp"
#include "core/protocol/messages.hpp"
#include "sdk/session/answer.hpp"
#include "sdk/session/credentials_data.hpp"
#include "sdk/session/departures.hpp"
#include "sdk/session/device_keys.hpp"
#include "sdk/session/event_hub.hpp"
#include "sdk/session/event_stream_handlers.hpp"
#include "sdk/session/outbox.hpp"
#include "sdk/session/store_queue.hpp"
#include "sdk/session/token_state.hpp"
#include "sdk/session/user_record.hpp"
#include "sdk/transport/stream_transport.hpp"
#include "sdk/transport/transport.hpp"

namespace keyturn::sdk {

class EventStream;

/// Limits above it are taken for it, so that no deadline is beyond the end of the clock.
inline constexpr std::chrono::milliseconds kLongestTimeout = std::chrono::hours(24);

struct SessionSettings {
  std::string app_id;
  std::string base_url;  ///< Checked, without a trailing slash.
  std::string boot_id;   ///< Names the boot that the clock's time line belongs to.
  json::Object device;   ///< Sent at log-in and link (client-api.md 8).
  std::chrono::milliseconds request_timeout{60'000};
  /// Of one exchange that the SDK makes for itself; `request_timeout` is of a call as a whole.
  std::chrono::milliseconds attempt_timeout{20'000};
  /// How long a refresh waits for another process before it takes that one for frozen and one of those who
  /// wait goes on in its place; after twice as long each goes on alone (rule S2).
  std::chrono::milliseconds lock_wait{5'000};
  /// How long what finds the store locked is tried again before its result is that the store is locked.
  std::chrono::milliseconds store_patience{2'000};
  /// How long a token that was stored before a reboot waits for the refresh that confirms it; then it is
  /// handed out if by the estimate it lives.
  std::chrono::milliseconds confirm_wait{2'000};
  /// How often other processes' changes are looked for, at most, while tokens are asked for.
  std::chrono::milliseconds look_around{200};
  /// How often they are looked for where the system has no watch left that would tell of them.
  std::chrono::milliseconds look_unwatched{500};
  /// A process that ends sooner does not watch for changes of others, which takes some 15 ms to end.
  std::chrono::milliseconds watch_after{200};
  RefreshPolicy policy{};
  BackoffPolicy backoff{};
  /// Of log-outs that the server could not be told yet.
  BackoffPolicy outbox_backoff{std::chrono::milliseconds(1000), std::chrono::minutes(10), 60,
                               std::chrono::hours(1)};
  std::function<void(std::string_view)> log{};
};

/// What a manager works with. The loop is stopped before the manager ends.
struct SessionParts {
  std::shared_ptr<Clock> clock;
  std::shared_ptr<IoLoop> loop;
  std::shared_ptr<HttpTransport> transport;
  std::shared_ptr<TokenStore> store;
  std::shared_ptr<Callbacks> callbacks;
  std::function<std::uint32_t()> chance;       ///< Evenly spread bits; called on the loop.
  std::shared_ptr<StreamTransport> streams{};  ///< Nothing: no watches.
  std::shared_ptr<DeviceKeys> device_keys{};   ///< Nothing: no sessions that are bound to one.
};

/// The only writer of the tokens of an app's users: decides, joins refreshes, persists, publishes, tells.
///
/// Everything that changes runs on the loop, one step at a time; each step that follows an answer looks at
/// the user's epoch again. What is read from other threads is published in leaf types (`UserRecord`). No lock
/// is held while the store, the transport, the log or the app is called. Thread safety: all public members.
/// Lifetime: stop the loop first; calls under way then answer `ClientAppDeallocated`.
class SessionManager {
 public:
  using UserRef = std::shared_ptr<UserRecord>;
  using TokenHandler = std::function<void(Result<std::string>)>;

  /// Reads the store; no network. Errors: those of the store.
  static Result<std::shared_ptr<SessionManager>> open(SessionSettings settings, SessionParts parts);
  SessionManager(SessionSettings settings, SessionParts parts);
  SessionManager(const SessionManager&) = delete;
  SessionManager& operator=(const SessionManager&) = delete;
  ~SessionManager();
  /// After the loop has been stopped: does what waits for the store and the log-outs that it did not come to,
  /// and answers those who still wait for a refresh.
  void close();

  [[nodiscard]] const SessionSettings& settings() const { return settings_; }
  [[nodiscard]] const std::shared_ptr<Callbacks>& callbacks() const { return parts_.callbacks; }

  // Users (session_manager.cpp).
  [[nodiscard]] UserRef current();
  [[nodiscard]] std::vector<UserRef> all_users();
  Result<void> switch_to(const UserRef& user);
  [[nodiscard]] Subscription subscribe(UserObserver observer, std::string user_id = {});

  // Log-in and its ends (log_in.cpp, log_out.cpp).
  /// `done` runs on the loop; it is destroyed unrun when the app is closed first.
  void log_in(std::shared_ptr<const CredentialsData> credentials, std::function<void(Result<UserRef>)> done);
  Pending<void> link(UserRef user, std::shared_ptr<const CredentialsData> credentials);
  Pending<void> log_out(UserRef user);
  Pending<void> remove(UserRef user);
  Pending<void> delete_account(UserRef user);
  /// `App::deliver_log_outs`.
  Pending<void> deliver_log_outs(std::chrono::milliseconds limit);

  // Tokens (tokens.cpp).
  Pending<std::string> valid_access_token(const UserRef& user, std::chrono::seconds min_validity);
  Pending<void> refresh(const UserRef& user);

  /// Whether the key that the user's session is bound to can be had: `User::check_device_key`.
  [[nodiscard]] Result<void> check_device_key(const UserRecord& user) const;

  [[nodiscard]] RefreshCircuit circuit_of(const UserRecord& user) const {
    return user.circuit(parts_.clock->boot_now());
  }

  // Requests (calls.cpp).
  Pending<void> refresh_profile(UserRef user);
  /// Any status is a result; `url` as `User::request` has it.
  Pending<HttpResponse> request(UserRef user, HttpRequest request);
  /// A call of the client API: 2xx is the result, anything else an error. With a user, whose token goes
  /// along.
  enum class Bearer { none, access, refresh };
  /// `done` as for `log_in`.
  void call(UserRef user, Bearer bearer, std::string method, std::string path, std::string body,
            TokenHandler done);

  /// Opens a stream of events with the user's access token (event_stream.cpp). `started` gets, on the loop, a
  /// handle whose end is the end of the stream and waits for a call under way; destroyed unrun when the app
  /// is closed first.
  void open_stream(UserRef user, std::string path, EventStreamHandlers handlers,
                   std::function<void(Result<std::shared_ptr<void>>)> started);

  /// Whether something is under way that this process should not end without, though nobody waits for it: a
  /// log-out on its first way to the server, or a refresh ahead, whose caller had the old token. Else a
  /// program that is run for each token would begin that refresh each time and never have it. Thread-safe.
  [[nodiscard]] bool finishing() const;

 private:
  friend class RefreshFlight;
  friend class EventStream;
  using ResponseHandler = std::function<void(Result<HttpResponse>)>;
  enum class Adopted { nothing, token, owner };

  // Members with an argument `last` are each a `StoreQueue::Attempt`.

  // session_manager.cpp, on the loop.
  Result<void> load();
  UserRef record_of(const std::string& user_id);
  /// Most recent first.
  [[nodiscard]] std::vector<UserRef> users_in_order() const;
  [[nodiscard]] UserRef find(const std::string& user_id) const;
  void forget(const UserRef& user);
  void set_current(std::string user_id);
  /// Takes over what the store holds, as another process may have written it. Tells observers.
  Adopted adopt(const UserRef& user, StoredUser stored);
  void look_around();
  /// Makes `facts` what readers see. `received` empty: not known, the token is refreshed before use.
  void publish(const UserRef& user, StoredUser facts, std::optional<Receipt> received);
  void publish_logged_out(const UserRef& user, EndReason reason, EndedBy by, UserState state);
  [[nodiscard]] std::optional<Receipt> receipt_of(const StoredUser& stored) const;
  void stamp_receipt(StoredUser& user, const HttpHeaders& headers) const;
  /// The server's time, from what it told with the token that is held; the wall clock where it told nothing.
  [[nodiscard]] WallTime server_now(const UserRecord& user) const;
  [[nodiscard]] TokenState state_of(const UserRecord& user) const;
  /// What the store could not take earlier, before a step that builds on it. Only a store that is locked is
  /// an error: without it the step would revoke an older token.
  Result<void> save_unsaved(const UserRef& user);
  void tell(UserEvent::Kind kind, const UserRef& user, EndReason reason = EndReason::none);
  void log(const std::string& line) const;

  // ends.cpp, on the loop.
  /// Tells of an end that the server made, until some observer of this device has heard of it (promise 25).
  void tell_end(const UserRef& user, EndReason reason);
  void tell_untold_ends();
  /// An observer has heard of the end.
  void end_was_told(const UserRef& user);
  /// The store cannot take the end of the user's session now: it is tried again until it does, or until
  /// somebody logs the user in.
  void owe_end(const UserRef& user, UserRecord::OwedEnd owed);
  void settle_later(const UserRef& user);
  /// Brings the end that is owed to the store, unless there is none any more.
  Result<void> settle_end(const UserRef& user);
  /// The end that was owed was a removal.
  bool forget_for_good(const UserRef& user, bool last);

  // siblings.cpp, on the loop.
  /// Begins to hear of other processes' changes as they happen, where the store can tell of them. Not done by
  /// opening alone, as it takes the loop's thread.
  void stay_informed();
  /// Watches, or looks from time to time while there is no watch to be had.
  void begin_to_watch();
  /// After a refresh that failed: the other processes pause as well, and those that come later, from the
  /// second failure in a row on or when the server `asked_for` it.
  void keep_pause(const UserRef& user, ErrorCode cause, bool asked_for);
  /// Obeys a pause that another process kept.
  void take_pause(const UserRef& user, const std::optional<RefreshPause>& pause) const;
  /// What another process did: "adopted user=ada what=token".
  void log_adopted(const UserRef& user, std::string_view what) const;

  // log_in.cpp, log_out.cpp.
  struct LogIn;
  [[nodiscard]] std::optional<UserRef> reusable_anonymous() const;
  void reuse(const UserRef& user, const std::shared_ptr<const CredentialsData>& credentials,
             const std::function<void(Result<UserRef>)>& done);
  void read_profile_then_store(const std::shared_ptr<LogIn>& step);
  /// The device stays as it was; the server is asked, once, to forget the session that nobody will use.
  void fail_log_in(LogIn& step, Error error);
  void finish_log_in(const std::shared_ptr<LogIn>& step, const Result<HttpResponse>& profile);
  bool store_log_in(LogIn& step, bool last);
  void finish_link(const UserRef& user, std::uint64_t epoch, const Result<HttpResponse>& answer,
                   const Answer<void>& done);
  bool store_link(const UserRef& user, std::uint64_t epoch, const StoredUser& tokens,
                  const Answer<void>& done, bool last);
  /// Of a link, last.
  bool switch_then_read_profile(const UserRef& user, const Answer<void>& done, bool last);
  [[nodiscard]] Result<std::string> log_in_body(const CredentialsData& credentials) const;
  /// Does the next of the log-outs and removals that were asked for.
  void depart();
  Pending<void> depart_soon(Departures::Kind kind, UserRef user);
  bool log_out_now(const UserRef& user, const Answer<void>& answer, bool last);
  bool remove_now(const UserRef& user, bool queue_revocation, const Answer<void>& answer, bool last);
  /// A log-out in memory and at the server, where the store cannot take it because of `fault`. Of a store
  /// that is locked for the moment the answer tells what became of it.
  void log_out_without_store(const UserRef& user, bool forget, const Error& fault, const Answer<void>& answer,
                             bool last);

  // tokens.cpp, on the loop.
  enum class Why { ahead, expired, forced, rejected };
  void with_token(const UserRef& user, std::chrono::seconds min_validity, BootTime deadline,
                  TokenHandler done);
  [[nodiscard]] BootTime usual_deadline() const {
    return parts_.clock->boot_now() + settings_.request_timeout;
  }
  /// `done` is called at the deadline if the refresh lasts longer, which goes on.
  void join_refresh(const UserRef& user, Why why, BootTime deadline,
                    std::function<void(const Result<void>&)> done);
  void reject(const UserRef& user, std::string_view token);
  /// What a caller is told while refreshing pauses.
  [[nodiscard]] Error suspended(const UserRef& user, Why why);
  [[nodiscard]] static const char* name_of(Why why);
  /// Wakes those who wait for a refresh whose owner has changed; its answer will be discarded.
  static void retire_flight(const UserRef& user);
  void refresh_ahead(const UserRef& user);
  void arm_timer(const UserRef& user);
  void mark_in_use(const UserRef& user);
  [[nodiscard]] Error not_logged_in(const UserRecord& user) const;

  // event_stream.cpp, on the loop.
  /// Those of one user, or all.
  void end_streams(const UserRecord* user, const Error& error);

  // calls.cpp, on the loop.
  void send(std::string_view method, std::string url, std::string_view bearer, std::string body,
            std::chrono::milliseconds timeout, ResponseHandler done);
  /// With a valid access token, and once more after the server rejected it; all within the request's time.
  void send_authorized(const UserRef& user, HttpRequest request, ResponseHandler done);
  void send_with_replay(const UserRef& user, std::shared_ptr<const HttpRequest> request, BootTime deadline,
                        bool may_replay, ResponseHandler done);
  using ProfileHandler = std::function<void(Result<void>)>;
  void read_profile(const UserRef& user, ProfileHandler done);
  bool store_profile(const UserRef& user, const protocol::Profile& profile, const ProfileHandler& done,
                     bool last);
  [[nodiscard]] std::string address(std::string_view path) const {
    return settings_.base_url + std::string(path);
  }

  /// Runs `step` on the loop, and waits for its answer unless it is there already. When the store was
  /// locked it is tried again, but not while the loop itself waits for it.
  Result<void> on_loop(std::function<Result<void>()> step);
  template <class T>
  [[nodiscard]] Answer<T> new_answer() const {
    return Answer<T>(parts_.callbacks);
  }

  const SessionSettings settings_;
  SessionParts parts_;
  EventHub events_;
  Outbox outbox_;
  Departures departures_;
  StoreQueue store_queue_;  // loop thread only

  mutable std::mutex users_mutex_;  // a leaf: guards the next two
  std::map<std::string, UserRef> users_;
  std::string current_;

  std::vector<std::shared_ptr<EventStream>> streams_;  // loop thread only
  std::int64_t seen_version_ = 0;                      // loop thread only
  std::atomic<bool> informed_{false};
  std::atomic<int> aheads_{0};                // refreshes ahead under way
  bool watching_ = false;                     // loop thread only
  bool looking_ = false;                      // loop thread only
  std::atomic<std::int64_t> look_around_at_;  // on the boot clock, in its ticks
};

}  // namespace keyturn::sdk

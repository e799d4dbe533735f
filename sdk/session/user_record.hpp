// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <keyturn/events.hpp>
#include <keyturn/network.hpp>

#include "sdk/session/backoff.hpp"
#include "sdk/session/token_cell.hpp"
#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

class RefreshFlight;

/// Who ended a session.
enum class EndedBy { device, server };

/// One account of this device in memory. Made once per user id and kept as long as the manager, so that every
/// handle of a user sees the same one, through log-out and log-in.
class UserRecord {
 public:
  explicit UserRecord(std::string user_id) : id(std::move(user_id)) {}

  /// Any thread: what is stored of the user, as a copy.
  [[nodiscard]] StoredUser facts() const {
    const std::scoped_lock lock(mutex_);
    return facts_.copy();
  }
  /// Any thread: one part of it, without copying the rest. `look` must be short and call nothing foreign.
  template <class Look>
  auto look(Look&& look) const {
    const std::scoped_lock lock(mutex_);
    return std::forward<Look>(look)(facts_);
  }
  /// Loop thread.
  void set_facts(StoredUser facts) {
    const std::scoped_lock lock(mutex_);
    facts_ = std::move(facts);
  }

  /// Any thread.
  [[nodiscard]] RefreshCircuit circuit(BootTime now) const {
    const std::scoped_lock lock(mutex_);
    RefreshCircuit out = circuit_;
    if (out.failures == 0) return out;
    out.state = now < closed_until_ ? RefreshCircuit::State::open : RefreshCircuit::State::half_open;
    if (now < closed_until_) out.retry_in = std::chrono::ceil<std::chrono::milliseconds>(closed_until_ - now);
    return out;
  }
  /// Loop thread: a refresh failed and ended nothing; `backoff` says when the next one may start.
  void show_failure(ErrorCode code) {
    const std::scoped_lock lock(mutex_);
    circuit_.failures = backoff.failures();
    circuit_.last_error = code;
    closed_until_ = backoff.not_before();
  }
  /// Loop thread: the server refused a token that it gave a moment ago, once too often; until then no other
  /// one is asked for.
  void show_refused(BootTime until) {
    const std::scoped_lock lock(mutex_);
    circuit_.failures = std::max(backoff.failures(), 1);
    circuit_.last_error = ErrorCode::InvalidSession;
    closed_until_ = std::max(until, backoff.not_before());
  }
  /// Loop thread: a new token is here, from whichever process.
  void refresh_works() {
    backoff.succeeded();
    show_failure(ErrorCode::AppUnknownError);
  }
  /// Loop thread: another session, whose refreshes have not failed yet.
  void start_over(const BackoffPolicy& policy) {
    backoff = Backoff(policy);
    show_failure(ErrorCode::AppUnknownError);
  }
  /// Any thread: of the latest failure.
  [[nodiscard]] ErrorCode last_error() const {
    const std::scoped_lock lock(mutex_);
    return circuit_.last_error;
  }

  const std::string id;
  TokenCell cell;
  std::atomic<UserState> state{UserState::logged_out};
  /// A background refresh has been asked for and not looked at yet.
  std::atomic<bool> ahead_wanted{false};
  /// Used in this process: only such users are refreshed in the background.
  std::atomic<bool> in_use{false};

  // Loop thread only.
  /// Counts changes of the tokens' owner in this process: a refresh that began under another epoch is
  /// discarded (rule S5).
  std::uint64_t epoch = 0;
  std::shared_ptr<RefreshFlight> flight;
  Backoff backoff;
  /// Spaces the refreshes that follow rejected tokens, so that a server which refuses what it gives makes no
  /// loop.
  Backoff rejections{BackoffPolicy{std::chrono::milliseconds(0), std::chrono::milliseconds(0), 30,
                                   std::chrono::seconds(60)}};
  /// The newest token could not be saved yet (promise 9).
  bool unsaved = false;
  /// An end of the session of that generation which the store could not take yet. What is stored under it
  /// counts no more.
  struct OwedEnd {
    std::int64_t generation = 0;
    EndReason reason = EndReason::none;
    EndedBy by = EndedBy::device;
    bool forget = false;
    /// The tokens that the store had not taken either: those are the ones to revoke.
    std::shared_ptr<const StoredUser> unsaved{};
    std::chrono::milliseconds wait{1000};  ///< Before the next try.
  };
  std::optional<OwedEnd> owed_end;
  /// The end of its session is on its way to an observer.
  bool telling_end = false;
  /// The pause that the log has told of.
  BootTime pause_told{};
  bool timer_armed = false;
  BootTime timer_at{};

 private:
  mutable std::mutex mutex_;  // a leaf
  StoredUser facts_;
  RefreshCircuit circuit_;
  BootTime closed_until_{};
};

}  // namespace keyturn::sdk

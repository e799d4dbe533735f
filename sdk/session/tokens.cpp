// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "sdk/session/log_text.hpp"
#include "sdk/session/refresh_flight.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/session/token_claims.hpp"
#include "sdk/session/verdict.hpp"

namespace keyturn::sdk {

Error SessionManager::not_logged_in(const UserRecord& user) const {
  const auto [reason, by_server] =
      user.look([](const StoredUser& facts) { return std::pair(facts.end_reason, facts.ended_by_server); });
  if (user.state == UserState::removed)
    return {ErrorCode::ClientUserNotLoggedIn, "User has already been removed"};
  if (!by_server) {
    Error error(ErrorCode::ClientUserNotLoggedIn, "The user is not logged in");
    error.reason = reason;
    return error;
  }
  Error error(ErrorCode::InvalidSession, "the session is over; the user must log in again");
  error.reason = reason;
  return error;
}

Result<void> SessionManager::check_device_key(const UserRecord& user) const {
  const Secret token = user.look([](const StoredUser& facts) { return facts.refresh_token.copy(); });
  const std::string thumbprint = key_bound_to(token.reveal());
  if (thumbprint.empty()) return {};
  if (!parts_.device_keys) return Error(ErrorCode::DeviceKeyUnavailable, "this app keeps no device key");
  const auto key = parts_.device_keys->find(thumbprint);
  return key ? Result<void>() : Result<void>(key.error());
}

Pending<std::string> SessionManager::valid_access_token(const UserRef& user,
                                                        std::chrono::seconds min_validity) {
  const BootTime now = parts_.clock->boot_now();
  // The usual case: nothing but the cell is looked at, and the loop is left alone.
  std::string token;
  const TokenAction action = user->cell.read([&](std::string_view held, const TokenState& state) {
    const TokenAction decided = decide(state, now, min_validity);
    if (decided == TokenAction::use || decided == TokenAction::use_and_refresh) token = held;
    return decided;
  });
  if (!user->in_use.load(std::memory_order_relaxed)) {
    parts_.loop->post([this, user] { mark_in_use(user); });
  }
  const std::int64_t tick = now.time_since_epoch().count();
  std::int64_t due = look_around_at_.load(std::memory_order_relaxed);
  if (tick >= due) {
    const std::int64_t next = tick + std::chrono::microseconds(settings_.look_around).count();
    if (look_around_at_.compare_exchange_strong(due, next, std::memory_order_relaxed)) {
      parts_.loop->post([this] { look_around(); });
    }
  }
  if (action == TokenAction::use) return Result<std::string>(std::move(token));
  if (action == TokenAction::use_and_refresh) {
    if (!user->ahead_wanted.exchange(true)) {
      parts_.loop->post([this, user] { refresh_ahead(user); });
    }
    return Result<std::string>(std::move(token));
  }
  const auto answer = new_answer<std::string>();
  auto pending = answer.pending();
  parts_.loop->post([this, user, min_validity, deadline = now + settings_.request_timeout, answer] {
    with_token(user, min_validity, deadline,
               [answer](Result<std::string> result) { answer.set(std::move(result)); });
  });
  return pending;
}

Pending<void> SessionManager::refresh(const UserRef& user) {
  const auto answer = new_answer<void>();
  auto pending = answer.pending();
  parts_.loop->post([this, user, answer] {
    mark_in_use(user);
    join_refresh(user, Why::forced, usual_deadline(),
                 [answer](const Result<void>& result) { answer.set(result); });
  });
  return pending;
}

void SessionManager::with_token(const UserRef& user, std::chrono::seconds min_validity, BootTime deadline,
                                TokenHandler done) {
  const auto give = [](const UserRef& owner) {
    return owner->cell.read([](std::string_view held, const TokenState&) { return std::string(held); });
  };
  const TokenState state = state_of(*user);
  switch (decide(state, parts_.clock->boot_now(), min_validity)) {
    case TokenAction::log_in_again:
      done(not_logged_in(*user));
      return;
    case TokenAction::use_and_refresh: {
      std::string token = give(user);  // before the refresh, which may learn of a log-out from the store
      refresh_ahead(user);
      done(std::move(token));
      return;
    }
    case TokenAction::use:
      done(give(user));
      return;
    case TokenAction::refresh_first:
      break;
  }
  // A token of the time before a reboot waits for no dead network longer than `confirm_wait`.
  const BootTime patience = parts_.clock->boot_now() + settings_.confirm_wait;
  if (may_do_unconfirmed(state, patience, min_validity)) deadline = std::min(deadline, patience);
  join_refresh(user, state.rejected ? Why::rejected : Why::expired, deadline,
               [this, user, give, min_validity, done = std::move(done)](const Result<void>& refreshed) {
                 if (!refreshed && refreshed.error().remedy == Remedy::retry_later &&
                     may_do_unconfirmed(state_of(*user), parts_.clock->boot_now(), min_validity)) {
                   done(give(user));
                 } else if (!refreshed) {
                   done(refreshed.error());
                 } else if (user->state != UserState::logged_in) {
                   done(not_logged_in(*user));
                 } else {
                   done(give(user));
                 }
               });
}

Error SessionManager::suspended(const UserRef& user, Why why) {
  const BootTime now = parts_.clock->boot_now();
  const bool refused = user->backoff.may_try(now);
  const BootTime until = refused ? user->rejections.not_before() : user->backoff.not_before();
  const ErrorCode cause = refused ? ErrorCode::InvalidSession : user->last_error();
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
  const std::string seconds = std::to_string(std::chrono::ceil<std::chrono::seconds>(left).count());
  Error error(ErrorCode::RefreshSuspended,
              refused ? "the server keeps refusing the tokens that it gives; the next refresh is due in " +
                            seconds + " s"
                      : "the last refresh failed (" + std::string(to_string(cause)) +
                            "); the next one is due in " + seconds + " s");
  if (!refused) {
    error.remedy = user->look(
        [&](const StoredUser& facts) { return remedy_while_kept(cause, facts.refresh_token.reveal()); });
  }
  if (std::exchange(user->pause_told, until) != until) {  // one line for each pause, not for each caller
    log("refresh user=" + logged_user(user->id) + " why=" + name_of(why) + " outcome=\"suspended\" ms_left=" +
        std::to_string(left.count()) + " code=" + std::string(to_string(cause)));
  }
  return error;
}

const char* SessionManager::name_of(Why why) {
  switch (why) {
    case Why::ahead:
      return "ahead";
    case Why::expired:
      return "expired";
    case Why::forced:
      return "forced";
    case Why::rejected:
      return "rejected";
  }
  return "";
}

void SessionManager::join_refresh(const UserRef& user, Why why, BootTime deadline,
                                  std::function<void(const Result<void>&)> done) {
  if (user->state != UserState::logged_in) {
    done(not_logged_in(*user));
    return;
  }
  if (!user->flight) {
    const BootTime now = parts_.clock->boot_now();
    const bool cooling =
        !user->backoff.may_try(now) || (why == Why::rejected && !user->rejections.may_try(now));
    if (cooling) {
      done(suspended(user, why));
      return;
    }
    if (why == Why::rejected) user->rejections.failed(now, {}, 0);
    user->flight = std::make_shared<RefreshFlight>(*this, user, why);
    user->flight->join(std::move(done), deadline);
    user->flight->start();
    return;
  }
  user->flight->join(std::move(done), deadline);
}

void SessionManager::reject(const UserRef& user, std::string_view token) {
  StoredUser facts = user->facts();
  if (!facts.logged_in || !facts.access_token.equals(token)) return;  // another caller replaced it already
  TokenState state = state_of(*user);
  state.rejected = true;
  if (!user->rejections.may_try(parts_.clock->boot_now())) user->show_refused(user->rejections.not_before());
  user->cell.publish(std::move(facts.access_token), state);
}

void SessionManager::retire_flight(const UserRef& user) {
  if (const auto flight = user->flight) flight->give_way();
}

void SessionManager::mark_in_use(const UserRef& user) {
  if (user->in_use.exchange(true)) return;
  stay_informed();
  arm_timer(user);
}

bool SessionManager::finishing() const {
  if (departures_.waiting() || outbox_.first_try_under_way() || aheads_ > 0) return true;
  const auto users = users_in_order();
  return std::any_of(users.begin(), users.end(),
                     [](const UserRef& user) { return user->ahead_wanted.load(); });
}

void SessionManager::refresh_ahead(const UserRef& user) {
  ++aheads_;
  const std::shared_ptr<void> under_way(nullptr, [this](void*) { --aheads_; });
  user->ahead_wanted = false;
  mark_in_use(user);
  const BootTime now = parts_.clock->boot_now();
  if (user->flight || user->state != UserState::logged_in) return;
  if (decide(state_of(*user), now, std::chrono::seconds(0)) != TokenAction::use_and_refresh) return;
  if (!user->backoff.may_try(now)) {
    arm_timer(user);
    return;
  }
  join_refresh(user, Why::ahead, usual_deadline(), [under_way](const Result<void>&) {});
}

void SessionManager::arm_timer(const UserRef& user) {
  const TokenState state = state_of(*user);
  const BootTime now = parts_.clock->boot_now();
  // An expired token waits for the next caller: a device that is offline for days stays quiet.
  if (decide(state, now, std::chrono::seconds(0)) == TokenAction::refresh_first || !state.has_refresh_token)
    return;
  const BootTime due = std::max(state.received_at + state.ahead_after, user->backoff.not_before());
  if (user->timer_armed && user->timer_at <= due) return;  // that one looks again
  user->timer_armed = true;
  user->timer_at = due;
  const std::chrono::milliseconds least(user->backoff.failures() > 0 ? 100 : 1);
  const auto wait = std::max(std::chrono::ceil<std::chrono::milliseconds>(due - now), least);
  parts_.loop->schedule(wait, [this, user, due] {
    if (!user->timer_armed || user->timer_at != due) return;
    user->timer_armed = false;
    if (user->flight) return;  // its end arms the next one
    if (decide(state_of(*user), parts_.clock->boot_now(), std::chrono::seconds(0)) ==
        TokenAction::use_and_refresh) {
      refresh_ahead(user);
    } else {
      arm_timer(user);
    }
  });
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/protocol/error_body.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/session/log_text.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/session/stored_profile.hpp"

namespace keyturn::sdk {

Pending<void> SessionManager::log_out(UserRef user) {
  return depart_soon(Departures::Kind::log_out, std::move(user));
}

Pending<void> SessionManager::remove(UserRef user) {
  return depart_soon(Departures::Kind::remove, std::move(user));
}

Pending<void> SessionManager::depart_soon(Departures::Kind kind, UserRef user) {
  const auto answer = new_answer<void>();
  auto pending = answer.pending();
  if (departures_.add({kind, std::move(user), answer})) {
    parts_.loop->post([this] { depart(); });
  } else {
    answer.set(app_closed());
  }
  return pending;
}

void SessionManager::depart() {
  store_queue_.run_at_once([this](bool last) {
    const auto next = departures_.first();
    if (!next) return true;
    const auto& [kind, user, answer] = *next;
    bool done = true;
    if (kind == Departures::Kind::log_out) {
      done = log_out_now(user, answer, last);
    } else if (find(user->id) == user) {
      done = remove_now(user, true, answer, last);
    } else {
      answer.set(Error(ErrorCode::ClientUserNotFound, "User has already been removed"));
    }
    if (done) departures_.done();
    return done;
  });
}

bool SessionManager::log_out_now(const UserRef& user, const Answer<void>& answer, bool last) {
  look_around();  // another process may have logged the user in: that session is to end as well
  if (user->state != UserState::logged_in) {
    answer.set({});
    return true;
  }
  if (user->look(is_only_anonymous)) {
    // Nobody could log in as this user again, so nothing of it is kept (sdk-behaviour.md section 1).
    return remove_now(user, true, answer, last);
  }
  // On this device first, whatever the network does (rule S15). No generation is given: log-out wins over
  // everything.
  const auto saved = save_unsaved(user);
  const auto cleared = saved ? parts_.store->clear_tokens(user->id, EndReason::logged_out, true, std::nullopt)
                             : Result<ReplaceOutcome>(saved.error());
  if (!cleared) {
    log_out_without_store(user, false, cleared.error(), answer, last);
    return true;
  }
  publish_logged_out(user, EndReason::logged_out, EndedBy::device, UserState::logged_out);
  tell(UserEvent::Kind::logged_out, user, EndReason::logged_out);
  log("log-out user=" + logged_user(user->id));
  outbox_.deliver_new();
  answer.set({});
  return true;
}

void SessionManager::log_out_without_store(const UserRef& user, bool forget, const Error& fault,
                                           const Answer<void>& answer, bool last) {
  Secret token = user->look([](const StoredUser& facts) { return facts.refresh_token.copy(); });
  owe_end(user, {.reason = EndReason::logged_out, .by = EndedBy::device, .forget = forget});
  publish_logged_out(user, EndReason::logged_out, EndedBy::device, UserState::logged_out);
  tell(UserEvent::Kind::logged_out, user, EndReason::logged_out);
  log("log-out user=" + logged_user(user->id) + " saved=no");
  outbox_.tell_once(std::move(token));
  if (last || fault.code != ErrorCode::StoreLocked) {
    answer.set(fault);
    return;
  }
  store_queue_.run_later([this, user, answer](bool last_try) {
    auto settled = settle_end(user);
    if (!last_try && is_locked(settled)) return false;
    answer.set(std::move(settled));
    return true;
  });
}

bool SessionManager::remove_now(const UserRef& user, bool queue_revocation, const Answer<void>& answer,
                                bool last) {
  const auto saved = queue_revocation ? save_unsaved(user) : Result<void>();
  const auto removed = saved ? parts_.store->remove(user->id, queue_revocation) : saved;
  const bool was_in = user->state == UserState::logged_in;
  if (!removed) {
    if (was_in) {
      log_out_without_store(user, true, removed.error(), answer, last);
      return true;
    }
    if (!last && is_locked(removed)) return false;
    answer.set(removed.error());
    return true;
  }
  user->owed_end.reset();
  publish_logged_out(user, EndReason::logged_out, EndedBy::device, UserState::removed);
  forget(user);
  if (was_in) tell(UserEvent::Kind::logged_out, user, EndReason::logged_out);
  tell(UserEvent::Kind::removed, user, EndReason::logged_out);
  log("removed user=" + logged_user(user->id));
  if (was_in && queue_revocation) outbox_.deliver_new();
  answer.set({});
  return true;
}

Pending<void> SessionManager::deliver_log_outs(std::chrono::milliseconds limit) {
  const auto answer = new_answer<void>();
  auto pending = answer.pending();
  limit = std::clamp(limit, std::chrono::milliseconds(0), kLongestTimeout);
  parts_.loop->post([this, limit, answer] {
    outbox_.deliver_then([answer](Result<void> heard) { answer.set(std::move(heard)); });
    parts_.loop->schedule(limit, [answer] {  // the first answer counts
      answer.set(Error(ErrorCode::DeadlineExceeded, "the server has not heard of every log-out yet"));
    });
  });
  return pending;
}

Pending<void> SessionManager::delete_account(UserRef user) {
  const auto answer = new_answer<void>();
  auto pending = answer.pending();
  parts_.loop->post([this, user = std::move(user), answer] {
    if (user->state != UserState::logged_in) {
      answer.set(Error(ErrorCode::ClientUserNotLoggedIn, "User must be logged in to be deleted."));
      return;
    }
    mark_in_use(user);
    HttpRequest request{"DELETE", address(protocol::kDeletePath), {}, {}, settings_.request_timeout};
    send_authorized(user, std::move(request), [this, user, answer](Result<HttpResponse> response) {
      if (!response || response->status < 200 || response->status >= 300) {
        answer.set(response ? protocol::error_of(*response) : response.error());
        return;
      }
      store_queue_.run([this, user, answer](bool last) { return remove_now(user, false, answer, last); });
    });
  });
  return pending;
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/refresh_flight.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/protocol/routes.hpp"
#include "sdk/session/log_text.hpp"
#include "sdk/session/stored_tokens.hpp"
#include "sdk/session/token_claims.hpp"
#include "sdk/session/verdict.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::chrono::milliseconds kLockPoll{20};
/// Names the second lock of a user; no user id has a line end.
constexpr const char* kStandby = "\nstandby";

}  // namespace

RefreshFlight::RefreshFlight(SessionManager& manager, SessionManager::UserRef user, Why why)
    : manager_(manager),
      user_(std::move(user)),
      why_(why),
      epoch_(user_->epoch),
      started_at_(manager.parts_.clock->boot_now()) {}

void RefreshFlight::start() { take_lock(); }

void RefreshFlight::join(Waiter waiter, BootTime deadline) {
  waiting_.push_back({std::move(waiter), deadline});
  if (!armed_for_ || deadline < *armed_for_) arm_deadline();
}

// One timer for all who wait: for the earliest deadline.
void RefreshFlight::arm_deadline() {
  armed_for_.reset();
  for (const Waiting& each : waiting_)
    armed_for_ = std::min(armed_for_.value_or(each.deadline), each.deadline);
  if (!armed_for_) return;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*armed_for_ - manager_.parts_.clock->boot_now());
  manager_.parts_.loop->schedule(std::max(left, std::chrono::milliseconds(0)), [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->over_) self->tell_late();
  });
}

void RefreshFlight::tell_late() {
  const BootTime now = manager_.parts_.clock->boot_now();
  std::vector<Waiting> late;
  std::vector<Waiting> rest;
  for (Waiting& each : waiting_) (each.deadline <= now ? late : rest).push_back(std::move(each));
  waiting_ = std::move(rest);
  arm_deadline();
  const Error error(ErrorCode::DeadlineExceeded, "no new token within the time limit; the refresh goes on");
  for (const Waiting& each : late) each.waiter(error);
}

void RefreshFlight::take_lock() {
  if (over_) return;
  if (superseded()) {
    finish_superseded();
    return;
  }
  const auto waited = manager_.parts_.clock->boot_now() - started_at_;
  const auto wait = manager_.settings_.lock_wait;
  auto lock = manager_.parts_.store->try_lock(user_->id);
  // Its holder may be frozen: after the wait one of those who wait takes its place, the others go on waiting.
  if (lock && *lock == nullptr && waited >= wait)
    lock = manager_.parts_.store->try_lock(user_->id + kStandby);
  const bool taken_by_other = lock.has_value() && *lock == nullptr;
  if (lock) lock_ = std::move(*lock);
  if (settled_by_store()) return;
  // Without any lock after twice the wait, and when the store cannot lock: a refresh is idempotent here (rule
  // S2).
  if (taken_by_other && waited < 2 * wait) {
    manager_.parts_.loop->schedule(kLockPoll, [self = shared_from_this()] { self->take_lock(); });
    return;
  }
  ask_server();
}

bool RefreshFlight::settled_by_store() {
  auto stored = manager_.parts_.store->load_user(user_->id);
  if (!stored) return false;  // an unreadable store says nothing about the session; the copy in memory serves
  if (!*stored) {
    manager_.look_around();
    if (!superseded()) return false;
    finish_superseded();
    return true;
  }
  manager_.adopt(user_, std::move(**stored));
  if (user_->state != UserState::logged_in) {
    finish(manager_.not_logged_in(*user_), "logged out by another process");
    return true;
  }
  epoch_ = user_->epoch;  // another process logged the user in again: that session is the one to refresh
  const TokenState state = manager_.state_of(*user_);
  const bool fresh =
      why_ == Why::forced
          ? state.has_access_token && !state.rejected && !state.unconfirmed && state.received_at > started_at_
          : decide(state, manager_.parts_.clock->boot_now(), std::chrono::seconds(0)) == TokenAction::use;
  if (fresh) {
    finish({}, "adopted");
    return true;
  }
  if (user_->backoff.may_try(manager_.parts_.clock->boot_now())) return false;
  finish(manager_.suspended(user_, why_), "suspended: another process has just failed");
  return true;
}

void RefreshFlight::ask_server() {
  refresh_token_ = user_->look([](const StoredUser& facts) { return facts.refresh_token.copy(); });
  asked_at_ = manager_.parts_.clock->boot_now();
  manager_.send("POST", manager_.address(protocol::kSessionPath), refresh_token_.reveal(), {},
                manager_.settings_.attempt_timeout, [self = shared_from_this()](Result<HttpResponse> answer) {
                  self->on_answer(answer);
                  if (answer) wipe_message(*answer);
                });
}

void RefreshFlight::on_answer(const Result<HttpResponse>& answer) {
  if (over_) return;
  if (superseded()) {
    finish_superseded();
    return;
  }
  if (!answer && answer.error().code == ErrorCode::ClientAppDeallocated) {
    finish(answer.error(), "given up: the app was closed");
    return;
  }
  RefreshAnswer judged = judge_refresh(answer, manager_.server_now(*user_));
  switch (judged.verdict) {
    case Verdict::refreshed:
      if (is_of_another_user(judged.access_token)) {
        fail_for_now({ErrorCode::InvalidServerResponse, "the new token is of another user"}, {});
      } else if (has_expired_on_the_way(judged.access_token) && ++expired_answers_ < 3) {
        ask_server();
      } else {
        on_token(std::move(judged.access_token), answer->headers);
      }
      return;
    case Verdict::session_over:
      on_session_over(std::move(judged.error));
      return;
    case Verdict::transient:
      fail_for_now(std::move(judged.error), judged.retry_after);
      return;
  }
}

// The machine slept, or the process stood still, while the answer waited in the socket (row B-20): the token
// is as old as the question, then.
bool RefreshFlight::came_late() const {
  return manager_.parts_.clock->boot_now() - asked_at_ >
         2 * manager_.settings_.attempt_timeout + std::chrono::seconds(5);
}

bool RefreshFlight::has_expired_on_the_way(const Secret& token) const {
  const auto life = usable_lifetime(read_claims(token.reveal()).lifetime, manager_.settings_.policy);
  return came_late() && manager_.parts_.clock->boot_now() - asked_at_ >= life;
}

// Where the token says nothing, nothing is wrong with it (rule S14).
bool RefreshFlight::is_of_another_user(const Secret& token) const {
  const std::string subject = read_claims(token.reveal()).subject;
  return !subject.empty() && subject != user_->id;
}

void RefreshFlight::fail_for_now(Error error, std::optional<std::chrono::seconds> retry_after) {
  const BootTime now = manager_.parts_.clock->boot_now();
  error.remedy = remedy_while_kept(error.code, refresh_token_.reveal());
  user_->backoff.failed(now, retry_after, manager_.parts_.chance(), now - asked_at_);
  user_->show_failure(error.code);
  manager_.keep_pause(user_, error.code, retry_after.has_value());
  manager_.tell(UserEvent::Kind::refresh_delayed, user_);
  finish(std::move(error), "failed for now");
}

void RefreshFlight::on_token(Secret token, const HttpHeaders& headers) {
  const auto given = std::make_shared<StoredUser>();
  given->access_token = std::move(token);
  manager_.stamp_receipt(*given, headers);
  if (came_late()) {
    given->received_wall -= given->received_boot - asked_at_;
    given->received_boot = asked_at_;
  }
  manager_.store_queue_.run(
      [self = shared_from_this(), given](bool last) { return self->store_token(*given, last); });
}

bool RefreshFlight::overtaken() {
  if (!over_ && superseded()) finish_superseded();
  return over_;
}

bool RefreshFlight::store_token(const StoredUser& given, bool last) {
  if (overtaken()) return true;
  // A link or a log-in of another process may have replaced the refresh token: its owner's tokens are the
  // ones to keep. A link of this process that could not be saved is kept as well, and saved now.
  auto stored = manager_.parts_.store->load_user(user_->id);
  if (stored && *stored) {
    const bool replaced = !user_->unsaved && !(*stored)->refresh_token.equals(refresh_token_.reveal());
    manager_.adopt(user_, std::move(**stored));  // or a new profile, which this step is not to take back
    if (replaced || superseded()) {
      finish_superseded();
      return true;
    }
  }
  StoredUser fresh = user_->facts();
  take_tokens(fresh, given);
  const BootTime received_at = fresh.received_boot;
  const auto saved = manager_.parts_.store->update(fresh, UserPart::tokens);
  if (!last && is_locked(saved)) return false;
  if (saved && *saved == ReplaceOutcome::generation_changed) {
    manager_.look_around();
    finish_superseded();
    return true;
  }
  user_->unsaved = !saved;  // kept in memory; the next refresh saves again (promise 9)
  user_->refresh_works();
  manager_.publish(user_, std::move(fresh), received_at);
  manager_.tell(UserEvent::Kind::token_refreshed, user_);
  finish({}, saved ? "fetched" : "fetched, not saved");
  manager_.outbox_.deliver();
  return true;
}

void RefreshFlight::on_session_over(Error error) {
  if (error.reason == EndReason::none) error.reason = EndReason::unspecified;  // promise 25
  manager_.store_queue_.run(
      [self = shared_from_this(), error](bool last) { return self->store_end(error, last); });
}

bool RefreshFlight::store_end(const Error& error, bool last) {
  if (overtaken()) return true;
  auto stored = manager_.parts_.store->load_user(user_->id);
  if (!last && is_locked(stored)) return false;
  if (!stored) {
    // Whether the verdict is about the session of now cannot be told (promise 8).
    fail_for_now(stored.error(), {});
    return true;
  }
  if (*stored && !(*stored)->refresh_token.equals(refresh_token_.reveal()) && ++verdicts_ < 3) {
    // The verdict is about a token that another process has replaced meanwhile (promise 1).
    manager_.adopt(user_, std::move(**stored));
    epoch_ = user_->epoch;
    if (user_->state != UserState::logged_in) {
      finish(manager_.not_logged_in(*user_), "logged out by another process");
    } else if (decide(manager_.state_of(*user_), manager_.parts_.clock->boot_now(),
                      std::chrono::seconds(0)) == TokenAction::use) {
      finish({}, "adopted");
    } else {
      ask_server();
    }
    return true;
  }
  const std::int64_t generation = user_->look([](const StoredUser& facts) { return facts.generation; });
  const auto cleared = manager_.parts_.store->clear_tokens(user_->id, error.reason, false, generation);
  if (!last && is_locked(cleared)) return false;
  if (cleared && *cleared == ReplaceOutcome::generation_changed) {
    manager_.look_around();
    finish_superseded();
    return true;
  }
  if (!cleared) manager_.owe_end(user_, {.reason = error.reason, .by = EndedBy::server});
  verdict_given_ = true;
  manager_.publish_logged_out(user_, error.reason, EndedBy::server, UserState::logged_out);
  manager_.tell_end(user_, error.reason);
  finish(error, "the server ended the session");
  return true;
}

void RefreshFlight::drop() {
  over_ = true;
  lock_.reset();
  waiting_.clear();
}

void RefreshFlight::give_way() {
  if (!verdict_given_) finish_superseded();
}

void RefreshFlight::finish_superseded() {
  if (user_->state != UserState::logged_in) {
    finish(manager_.not_logged_in(*user_), "discarded: logged out");
  } else if (decide(manager_.state_of(*user_), manager_.parts_.clock->boot_now(), std::chrono::seconds(0)) !=
             TokenAction::refresh_first) {
    finish({}, "discarded: logged in again");
  } else {
    finish(Error(ErrorCode::Cancelled, "the user's session was replaced during the refresh"), "discarded");
  }
}

void RefreshFlight::finish(const Result<void>& result, const char* outcome) {
  if (over_) return;
  over_ = true;
  const auto self = shared_from_this();  // outlives the user's reference to it
  lock_.reset();
  if (user_->flight == self) user_->flight.reset();
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(manager_.parts_.clock->boot_now() - started_at_);
  std::string line = "refresh user=" + logged_user(user_->id) + " why=" + SessionManager::name_of(why_) +
                     " outcome=\"" + outcome + "\" ms=" + std::to_string(took.count());
  if (!result)
    line += " code=" + std::string(to_string(result.error().code)) +
            " reason=" + std::string(to_string(result.error().reason));
  manager_.log(line);
  manager_.arm_timer(user_);
  const std::vector<Waiting> waiting = std::move(waiting_);
  for (const Waiting& each : waiting) each.waiter(result);
}

}  // namespace keyturn::sdk

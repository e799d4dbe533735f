// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/session_manager.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/json/json.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/session/http_date.hpp"
#include "sdk/session/refresh_flight.hpp"
#include "sdk/session/stored_tokens.hpp"
#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {
namespace {

bool same_tokens(const StoredUser& a, const StoredUser& b) {
  return a.access_token.equals(b.access_token.reveal()) && a.refresh_token.equals(b.refresh_token.reveal());
}

}  // namespace

Result<std::shared_ptr<SessionManager>> SessionManager::open(SessionSettings settings, SessionParts parts) {
  auto manager = std::make_shared<SessionManager>(std::move(settings), std::move(parts));
  auto loaded = manager->load();
  if (!loaded) return loaded.error();
  return manager;
}

SessionManager::SessionManager(SessionSettings settings, SessionParts parts)
    : settings_(std::move(settings)),
      parts_(std::move(parts)),
      events_(parts_.callbacks, [this](const std::string& line) { log(line); }),
      outbox_({parts_.clock.get(), parts_.loop.get(), parts_.transport.get(), parts_.store.get(),
               parts_.chance, address(protocol::kSessionPath), settings_.attempt_timeout,
               settings_.outbox_backoff, [this](const std::string& line) { log(line); }}),
      store_queue_(*parts_.clock, *parts_.loop, settings_.store_patience),
      look_around_at_(0) {}

SessionManager::~SessionManager() { close(); }

void SessionManager::close() {
  departures_.close();
  parts_.store->closing();
  store_queue_.close();
  while (departures_.waiting()) depart();
  // A flight and its user hold each other while it lasts.
  for (const UserRef& user : users_in_order()) {
    if (const auto flight = std::move(user->flight)) flight->drop();
  }
  end_streams(nullptr, app_closed());
}

Result<void> SessionManager::load() {
  const auto version = parts_.store->version();
  auto users = parts_.store->load();
  if (!users) return users.error();
  auto current = parts_.store->current();
  if (!current) return current.error();
  for (StoredUser& stored : *users) {
    const UserRef user = record_of(stored.user_id);
    const auto received = receipt_of(stored);
    take_pause(user, stored.pause);
    publish(user, std::move(stored), received);
  }
  set_current(current->value_or(""));
  seen_version_ = version ? *version : 0;
  auto waiting = parts_.store->outbox();
  if (waiting && !waiting->empty()) {
    // Not at once: to open an app does no network I/O.
    parts_.loop->schedule(std::chrono::seconds(1), [this] { outbox_.deliver(); });
  }
  return {};
}

SessionManager::UserRef SessionManager::record_of(const std::string& user_id) {
  const std::scoped_lock lock(users_mutex_);
  if (const auto found = users_.find(user_id); found != users_.end()) return found->second;
  // Made first: should memory run out, no name is left without its record.
  auto user = std::make_shared<UserRecord>(user_id);
  user->start_over(settings_.backoff);
  users_.emplace(user_id, user);
  return user;
}

SessionManager::UserRef SessionManager::find(const std::string& user_id) const {
  const std::scoped_lock lock(users_mutex_);
  const auto found = users_.find(user_id);
  return found == users_.end() ? nullptr : found->second;
}

void SessionManager::forget(const UserRef& user) {
  const std::scoped_lock lock(users_mutex_);
  users_.erase(user->id);
  if (current_ == user->id) current_.clear();
}

void SessionManager::set_current(std::string user_id) {
  const std::scoped_lock lock(users_mutex_);
  current_ = std::move(user_id);
}

std::vector<SessionManager::UserRef> SessionManager::all_users() {
  stay_informed();
  return users_in_order();
}

SessionManager::UserRef SessionManager::current() {
  stay_informed();
  UserRef marked;
  {
    const std::scoped_lock lock(users_mutex_);
    if (const auto found = users_.find(current_); found != users_.end()) marked = found->second;
  }
  return user_to_act_for(
      std::move(marked), [this] { return users_in_order(); },
      [](const UserRecord& user) { return user.state == UserState::logged_in; });
}

std::vector<SessionManager::UserRef> SessionManager::users_in_order() const {
  std::vector<std::pair<std::int64_t, UserRef>> ordered;
  {
    const std::scoped_lock lock(users_mutex_);
    for (const auto& [id, user] : users_) ordered.emplace_back(0, user);
  }
  for (auto& [order, user] : ordered) order = user->look([](const StoredUser& facts) { return facts.order; });
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<UserRef> out;
  out.reserve(ordered.size());
  for (auto& entry : ordered) out.push_back(std::move(entry.second));
  return out;
}

Result<void> SessionManager::on_loop(std::function<Result<void>()> step) {
  if (parts_.loop->on_loop_thread()) return step();
  auto answer = new_answer<void>();
  auto pending = answer.pending();
  // Not kept here: a task that is destroyed unrun is to answer.
  parts_.loop->post([this, answer = std::move(answer), step = std::move(step)] {
    store_queue_.run([answer, step](bool last) {
      auto done = step();
      if (!last && is_locked(done)) return false;
      answer.set(std::move(done));
      return true;
    });
  });
  return std::move(pending).result();
}

Result<void> SessionManager::switch_to(const UserRef& user) {
  return on_loop([this, user]() -> Result<void> {
    if (find(user->id) != user)
      return Error(ErrorCode::ClientUserNotFound, "The specified user was not found.");
    if (user->state != UserState::logged_in)
      return Error(ErrorCode::ClientUserNotLoggedIn, "The specified user is not logged in.");
    if (auto stored = parts_.store->set_current(user->id); !stored) return stored;
    set_current(user->id);
    tell(UserEvent::Kind::switched, user);
    return {};
  });
}

Subscription SessionManager::subscribe(UserObserver observer, std::string user_id) {
  stay_informed();
  Subscription subscription = events_.subscribe(std::move(observer), std::move(user_id));
  for (const UserRef& user : users_in_order()) {
    if (!user->look([](const StoredUser& facts) { return facts.end_untold; })) continue;
    parts_.loop->post([this] { tell_untold_ends(); });
    break;
  }
  return subscription;
}

void SessionManager::publish(const UserRef& user, StoredUser facts, std::optional<Receipt> received) {
  const std::uint32_t chance = facts.logged_in ? parts_.chance() : 0;
  const TokenState state = sdk::state_of(facts, received, parts_.clock->boot_now(), settings_.policy, chance);
  Secret token = facts.logged_in ? facts.access_token.copy() : Secret();
  const UserState next = facts.logged_in ? UserState::logged_in : UserState::logged_out;
  if (facts.logged_in) user->telling_end = false;
  user->set_facts(std::move(facts));
  user->cell.publish(std::move(token), state);
  user->state = next;
  if (user->in_use) arm_timer(user);
  if (next == UserState::logged_out) end_streams(user.get(), not_logged_in(*user));
}

void SessionManager::publish_logged_out(const UserRef& user, EndReason reason, EndedBy by, UserState state) {
  ++user->epoch;
  StoredUser facts = user->facts();
  facts.logged_in = false;
  facts.access_token.wipe();
  facts.refresh_token.wipe();
  facts.end_reason = reason;
  facts.ended_by_server = by == EndedBy::server;
  facts.end_untold = facts.ended_by_server;
  facts.pause.reset();
  user->unsaved = false;
  publish(user, std::move(facts), std::nullopt);
  user->state = state;
  retire_flight(user);
}

std::optional<Receipt> SessionManager::receipt_of(const StoredUser& stored) const {
  return sdk::receipt_of(stored, {settings_.boot_id, parts_.clock->boot_now(), parts_.clock->wall_now()});
}

void SessionManager::stamp_receipt(StoredUser& user, const HttpHeaders& headers) const {
  user.boot_id = settings_.boot_id;
  user.received_boot = parts_.clock->boot_now();
  user.received_wall = parts_.clock->wall_now();
  const auto told = server_time_of(headers);
  user.received_server_time =
      told ? *told : read_claims(user.access_token.reveal()).issued_at.value_or(user.received_wall);
}

WallTime SessionManager::server_now(const UserRecord& user) const {
  const auto [boot_id, received_boot, server_time] = user.look([](const StoredUser& facts) {
    return std::tuple(facts.boot_id, facts.received_boot, facts.received_server_time);
  });
  const BootTime now = parts_.clock->boot_now();
  const bool known = !boot_id.empty() && boot_id == settings_.boot_id && received_boot <= now &&
                     server_time > WallTime() && received_boot >= BootTime();
  return known ? server_time + (now - received_boot) : parts_.clock->wall_now();
}

TokenState SessionManager::state_of(const UserRecord& user) const {
  return user.cell.read([](std::string_view, const TokenState& state) { return state; });
}

SessionManager::Adopted SessionManager::adopt(const UserRef& user, StoredUser stored) {
  const StoredUser held = user->facts();
  const bool other_owner = stored.generation != held.generation;
  if (user->owed_end && stored.generation == user->owed_end->generation) return Adopted::nothing;
  if (!other_owner && user->unsaved && stored.received_server_time <= held.received_server_time)
    return Adopted::nothing;
  const bool other_tokens = !same_tokens(stored, held);
  const bool other_profile =
      stored.profile_json != held.profile_json || stored.identities_json != held.identities_json;
  if (!other_owner && !other_tokens && !other_profile) {
    take_pause(user, stored.pause);
    return Adopted::nothing;
  }
  const bool was_in = user->state == UserState::logged_in;
  const bool is_in = stored.logged_in;
  const EndReason reason = stored.end_reason;
  const bool by_server = stored.ended_by_server;
  if (other_owner) {
    ++user->epoch;
    user->start_over(settings_.backoff);
    user->owed_end.reset();
  }
  user->unsaved = false;
  if (is_in && (other_owner || other_tokens)) user->refresh_works();
  take_pause(user, stored.pause);
  if (other_owner || other_tokens) {
    const auto received = receipt_of(stored);
    publish(user, std::move(stored), received);
  } else {
    user->set_facts(std::move(stored));
  }
  if (was_in && !is_in) {
    log_adopted(user, by_server ? "session ended by the server" : "log-out");
    if (by_server) {
      tell_end(user, reason);
    } else {
      tell(UserEvent::Kind::logged_out, user, reason);
    }
  } else if (!was_in && is_in) {
    log_adopted(user, "log-in");
    tell(UserEvent::Kind::logged_in, user);
  } else if (is_in && other_tokens) {
    log_adopted(user, other_owner ? "session" : "token");
    tell(UserEvent::Kind::token_refreshed, user);
  }
  if (other_profile) tell(UserEvent::Kind::profile_changed, user);
  return other_owner ? Adopted::owner : other_tokens ? Adopted::token : Adopted::nothing;
}

void SessionManager::look_around() {
  const auto version = parts_.store->version();
  if (!version || *version == seen_version_) return;
  auto users = parts_.store->load();
  const auto current = parts_.store->current();
  if (!users || !current) return;
  seen_version_ = *version;
  std::vector<UserRef> gone = users_in_order();
  for (StoredUser& stored : *users) {
    std::erase_if(gone, [&](const UserRef& user) { return user->id == stored.user_id; });
    const UserRef user = record_of(stored.user_id);  // before `stored` is moved from
    adopt(user, std::move(stored));
  }
  set_current(current->value_or(""));
  for (const UserRef& user : gone) {
    publish_logged_out(user, EndReason::logged_out, EndedBy::device, UserState::removed);
    forget(user);
    log_adopted(user, "removal");
    tell(UserEvent::Kind::removed, user);
  }
}

Result<void> SessionManager::save_unsaved(const UserRef& user) {
  if (!user->unsaved) return {};
  const auto saved = parts_.store->update(user->facts(), UserPart::tokens);
  if (is_locked(saved)) return saved.error();
  if (saved && *saved == ReplaceOutcome::replaced) user->unsaved = false;
  return {};
}

void SessionManager::tell(UserEvent::Kind kind, const UserRef& user, EndReason reason) {
  events_.tell({kind, user->id, reason});
}

void SessionManager::log(const std::string& line) const {
  if (!settings_.log) return;
  settings_.log(line);
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
// Ends of sessions: told until an observer has heard, and owed until the store has taken them.
#include <algorithm>
#include <memory>
#include <utility>

#include "sdk/session/session_manager.hpp"

namespace keyturn::sdk {
namespace {

/// The end of the user's last session has been told. False: the store was locked.
bool take_mark_away(TokenStore& store, std::string_view user_id) {
  auto stored = store.load_user(user_id);
  if (!stored || !*stored || !(*stored)->end_untold) return !is_locked(stored);
  (*stored)->end_untold = false;
  return !is_locked(store.update(**stored, UserPart::end_told));
}

}  // namespace

void SessionManager::tell_end(const UserRef& user, EndReason reason) {
  // The mark is taken away after the observers have run, on their thread: a crash before means that they are
  // told again, never that they are not.
  const auto over = [this, user, store = parts_.store, loop = parts_.loop](bool heard) {
    if (heard) {
      if (!take_mark_away(*store, user->id)) loop->post([this, user] { end_was_told(user); });
      return;
    }
    loop->post([this, user] {  // all who wanted to know have left before their turn: it is for the next one
      user->telling_end = false;
      tell_untold_ends();
    });
  };
  user->telling_end = true;
  if (!events_.tell({UserEvent::Kind::session_ended, user->id, reason}, over)) user->telling_end = false;
}

void SessionManager::end_was_told(const UserRef& user) {
  store_queue_.run([this, user](bool last) { return take_mark_away(*parts_.store, user->id) || last; });
}

void SessionManager::owe_end(const UserRef& user, UserRecord::OwedEnd owed) {
  owed.generation = user->look([](const StoredUser& facts) { return facts.generation; });
  if (user->unsaved) owed.unsaved = std::make_shared<const StoredUser>(user->facts());
  user->owed_end = std::move(owed);
  settle_later(user);
}

void SessionManager::settle_later(const UserRef& user) {
  parts_.loop->schedule(user->owed_end->wait, [this, user] {
    if (settle_end(user)) return;
    user->owed_end->wait = std::min(2 * user->owed_end->wait, std::chrono::milliseconds(60'000));
    settle_later(user);
  });
}

Result<void> SessionManager::settle_end(const UserRef& user) {
  if (!user->owed_end) return {};
  const UserRecord::OwedEnd owed = *user->owed_end;
  const bool by_server = owed.by == EndedBy::server;
  if (owed.unsaved) {
    const auto saved = parts_.store->update(*owed.unsaved, UserPart::tokens);
    if (is_locked(saved)) return saved.error();  // or the older token would be the one that is revoked
  }
  const auto cleared = parts_.store->clear_tokens(user->id, owed.reason, !by_server, owed.generation);
  if (!cleared) return cleared.error();
  user->owed_end.reset();
  if (*cleared == ReplaceOutcome::replaced) {
    if (by_server && user->telling_end) end_was_told(user);
    if (owed.forget && !forget_for_good(user, false))
      store_queue_.run_later([this, user](bool last) { return forget_for_good(user, last); });
  }
  if (!by_server) outbox_.deliver_new();
  return {};
}

bool SessionManager::forget_for_good(const UserRef& user, bool last) {
  if (user->state != UserState::logged_out) return true;
  const auto removed = parts_.store->remove(user->id, false);
  if (!last && is_locked(removed)) return false;
  if (removed) {
    user->state = UserState::removed;
    forget(user);
    tell(UserEvent::Kind::removed, user, EndReason::logged_out);
  }
  return true;
}

void SessionManager::tell_untold_ends() {
  for (const UserRef& user : users_in_order()) {
    if (user->telling_end || user->state != UserState::logged_out) continue;
    auto stored = parts_.store->load_user(user->id);  // another process may have told it meanwhile
    if (!stored || !*stored || !(*stored)->end_untold) continue;
    tell_end(user, (*stored)->end_reason);
  }
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
// What other processes of the device have written, and what they are to know.
#include <algorithm>
#include <utility>

#include "sdk/session/http_date.hpp"
#include "sdk/session/log_text.hpp"
#include "sdk/session/session_manager.hpp"

namespace keyturn::sdk {

void SessionManager::stay_informed() {
  if (!parts_.store->tells_changes() || informed_.load(std::memory_order_relaxed) || informed_.exchange(true))
    return;
  parts_.loop->schedule(settings_.watch_after, [this] { begin_to_watch(); });
}

void SessionManager::begin_to_watch() {
  const int changes = parts_.store->changes();
  if (changes >= 0 && !watching_) {
    watching_ = true;
    parts_.loop->watch(changes, [this] {
      parts_.store->changes_seen();
      begin_to_watch();  // the watch may have been lost with its file
    });
  }
  if (changes < 0 && !std::exchange(looking_, true)) {
    parts_.loop->schedule(settings_.look_unwatched, [this] {
      looking_ = false;
      begin_to_watch();
    });
  }
  look_around();  // what changed before
}

void SessionManager::keep_pause(const UserRef& user, ErrorCode cause, bool asked_for) {
  Backoff::State state = user->backoff.state();
  // After a first failure, which may be over already, others may find that out for themselves: a person who
  // mends the network and runs a command again is not to be sent away.
  if (state.failures == 1 && !asked_for)
    state.not_before = std::min(state.not_before, parts_.clock->boot_now());
  StoredUser facts = user->facts();
  facts.pause = RefreshPause{settings_.boot_id, state.not_before, state.spent_until, state.failures, cause};
  user->set_facts(std::move(facts));
  store_queue_.run([this, user](bool last) {
    const StoredUser paused = user->facts();
    if (!paused.pause) return true;  // it is over
    const auto kept = parts_.store->update(paused, UserPart::pause);
    return last || !is_locked(kept);  // a failure costs the others one more try
  });
}

void SessionManager::take_pause(const UserRef& user, const std::optional<RefreshPause>& pause) const {
  const bool is_of_this_boot = pause && !pause->boot_id.empty() && pause->boot_id == settings_.boot_id;
  // One that is over counts as well: what follows it goes on from there.
  if (!is_of_this_boot || pause->not_before <= user->backoff.not_before()) return;
  // No pause of ours is longer; what says so is damaged.
  const BootTime longest = parts_.clock->boot_now() + 2 * kLongestRetryAfter;
  if (pause->not_before > longest) return;
  const auto failures = static_cast<int>(std::clamp<std::int64_t>(pause->failures, 1, 1'000'000));
  user->backoff.restore({failures, pause->not_before, std::min(pause->budget_spent_until, longest)});
  user->show_failure(pause->last_error);
}

void SessionManager::log_adopted(const UserRef& user, std::string_view what) const {
  log("adopted user=" + logged_user(user->id) + " what=\"" + std::string(what) + '"');
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "server/domain/refusal.hpp"
#include "server/domain/sessions/session_service.hpp"

// When sessions were last used: gathered in memory, written in batches, so that no refresh waits for a write.
namespace keyturn::server {
namespace {

constexpr std::size_t kMostNotedUses = 65'536;
constexpr std::size_t kBatch = 4'096;
// Without an idle limit the time is for people to read, and need not be finer.
constexpr std::chrono::seconds kCoarseness{60};
// What a crash may have lost (`housekeeping`).
constexpr std::chrono::seconds kLostUse{60};
// How long an ended session is remembered, so that a late refusal can say why.
constexpr std::chrono::hours kTombstoneLife{30 * 24};
constexpr int kPurgeStep = 1'000;

}  // namespace

void SessionService::note_use(const AppView& app, std::string_view session_id, const SessionState& state,
                              WallTime now) {
  const bool decides = app.app.tokens.refresh_idle.has_value();
  if (!decides && now - state.last_used < kCoarseness) return;
  bool full = false;
  {
    const std::scoped_lock lock(last_used_mutex_);
    if (const auto found = last_used_.find(session_id); found != last_used_.end()) {
      found->second = std::max(found->second, now);
      return;
    }
    full = last_used_.size() >= kMostNotedUses;
  }
  if (full) {
    if (!decides) return;
    // The idle limit needs this use to be remembered. A fault here is not the caller's: the session stays.
    static_cast<void>(write_uses(kBatch));
  }
  const std::scoped_lock lock(last_used_mutex_);
  if (last_used_.size() < kMostNotedUses) last_used_.try_emplace(std::string(session_id), now);
}

WallTime SessionService::noted_use(std::string_view session_id) const {
  const std::scoped_lock lock(last_used_mutex_);
  const auto found = last_used_.find(session_id);
  return found == last_used_.end() ? WallTime() : found->second;
}

EndReason SessionService::end_reason(const AppView& app, std::string_view session_id, SessionState& state,
                                     WallTime now) const {
  if (app.app.tokens.refresh_idle) {
    state.last_used = std::max(state.last_used, noted_use(session_id));
    if (state.last_used < started_) state.last_used = std::min(started_, state.last_used + kLostUse);
  }
  return session_end_reason(state, app.app.tokens, now);
}

Result<void> SessionService::write_uses(std::size_t at_most) {
  std::vector<std::pair<std::string, WallTime>> batch;
  {
    const std::scoped_lock lock(last_used_mutex_);
    batch.reserve(std::min(at_most, last_used_.size()));
    for (auto it = last_used_.begin(); it != last_used_.end() && batch.size() < at_most; ++it)
      batch.emplace_back(*it);
  }
  if (batch.empty()) return {};
  if (auto written = sessions_.touch(batch); !written) return unavailable(written.error());
  // Forgotten only now, so that a check in between sees either the note or the row.
  const std::scoped_lock lock(last_used_mutex_);
  for (const auto& [session_id, time] : batch) {
    const auto found = last_used_.find(session_id);
    if (found != last_used_.end() && found->second == time) last_used_.erase(found);
  }
  return {};
}

Result<void> SessionService::housekeeping() {
  std::size_t left = 0;
  {
    const std::scoped_lock lock(last_used_mutex_);
    left = last_used_.size();
  }
  for (; left > 0; left -= std::min(left, kBatch)) {
    if (auto written = write_uses(kBatch); !written) return written;
  }
  auto purged = sessions_.purge(clock_.wall_now() - kTombstoneLife, kPurgeStep);
  if (!purged) return unavailable(purged.error());
  return {};
}

}  // namespace keyturn::server

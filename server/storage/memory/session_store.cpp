// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "server/storage/memory/state.hpp"

namespace keyturn::server::memory {
namespace {

constexpr std::size_t kMaxListed = 1'000;

class MemorySessionStore final : public SessionStore {
 public:
  explicit MemorySessionStore(State& state) : state_(state) {}

  Result<OpenOutcome> open(const Session& session, std::int64_t user_generation) override {
    const std::scoped_lock lock(state_.mutex);
    UserRow* row = state_.user(session.app_id, session.user_id);
    if (row == nullptr) return OpenOutcome::user_deleted;
    if (row->user.disabled) return OpenOutcome::user_disabled;
    if (row->user.generation != user_generation) return OpenOutcome::user_changed;
    Session stored = session;
    stored.ended.reset();
    stored.reason = EndReason::none;
    if (!state_.sessions.emplace(session.id, std::move(stored)).second) return stored_twice();
    row->user.last_authentication = session.created;
    if (session.device_id.find_first_not_of('0') != std::string::npos) {
      row->devices[session.device_id] = {{session.device_id, session.device}, session.created};
    }
    return OpenOutcome::opened;
  }

  Result<std::optional<SessionState>> find(std::string_view session_id) override {
    const std::scoped_lock lock(state_.mutex);
    const auto found = state_.sessions.find(session_id);
    if (found == state_.sessions.end()) return std::optional<SessionState>();
    const Session& s = found->second;
    return std::optional(SessionState{s.app_id, s.user_id, s.device_id, s.provider_type, s.refresh_expires,
                                      s.last_used, s.ended.has_value(), s.reason});
  }

  Result<EndOutcome> end(std::string_view app_id, std::string_view user_id, std::string_view session_id,
                         EndReason reason, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    const auto found = state_.sessions.find(session_id);
    if (found == state_.sessions.end()) return EndOutcome::unknown;
    Session& session = found->second;
    if (session.app_id != app_id || (!user_id.empty() && session.user_id != user_id))
      return EndOutcome::unknown;
    if (session.ended) return EndOutcome::already_ended;
    session.ended = now;
    session.reason = reason;
    return EndOutcome::ended;
  }

  Result<int> end_all(std::string_view app_id, std::string_view user_id, std::string_view except,
                      EndReason reason, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    if (UserRow* row = state_.user(app_id, user_id)) ++row->user.generation;
    return state_.end_sessions(app_id, user_id, except, reason, now);
  }

  Result<std::vector<Session>> list(std::string_view app_id, std::string_view user_id) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<Session> out;
    for (const auto& [id, session] : state_.sessions) {
      if (session.app_id == app_id && session.user_id == user_id && !session.ended) out.push_back(session);
    }
    std::sort(out.begin(), out.end(), [](const Session& a, const Session& b) {
      return std::tie(a.created, a.id) > std::tie(b.created, b.id);
    });
    if (out.size() > kMaxListed) out.resize(kMaxListed);
    return out;
  }

  Result<std::vector<Device>> devices(std::string_view app_id, std::string_view user_id) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<Device> out;
    const UserRow* row = state_.user(app_id, user_id);
    if (row == nullptr) return out;
    std::vector<SeenDevice> seen;
    for (const auto& [id, device] : row->devices) seen.push_back(device);
    std::sort(seen.begin(), seen.end(), [](const SeenDevice& a, const SeenDevice& b) {
      return std::tie(a.seen, a.device.id) > std::tie(b.seen, b.device.id);
    });
    if (seen.size() > kMaxListed) seen.resize(kMaxListed);
    for (SeenDevice& each : seen) out.push_back(std::move(each.device));
    return out;
  }

  Result<void> touch(const std::vector<std::pair<std::string, WallTime>>& last_used) override {
    const std::scoped_lock lock(state_.mutex);
    for (const auto& [id, time] : last_used) {
      const auto found = state_.sessions.find(id);
      if (found != state_.sessions.end()) found->second.last_used = std::max(found->second.last_used, time);
    }
    return {};
  }

  Result<int> purge(WallTime before, int limit) override {
    const std::scoped_lock lock(state_.mutex);
    int count = 0;
    for (auto it = state_.sessions.begin(); it != state_.sessions.end() && count < limit;) {
      const Session& session = it->second;
      if (session.refresh_expires >= before && !(session.ended && *session.ended < before)) {
        ++it;
        continue;
      }
      if (UserRow* row = state_.user(session.app_id, session.user_id)) {
        row->last_active = std::max(row->last_active, session.last_used);
      }
      it = state_.sessions.erase(it);
      ++count;
    }
    return count;
  }

 private:
  State& state_;
};

}  // namespace

std::unique_ptr<SessionStore> make_session_store(State& state) {
  return std::make_unique<MemorySessionStore>(state);
}

}  // namespace keyturn::server::memory

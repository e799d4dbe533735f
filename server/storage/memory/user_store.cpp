// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "server/storage/memory/paging.hpp"
#include "server/storage/memory/state.hpp"

namespace keyturn::server::memory {
namespace {

class MemoryUserStore final : public UserStore {
 public:
  explicit MemoryUserStore(State& state) : state_(state) {}

  Result<CreateUserOutcome> create(const User& user) override {
    const std::scoped_lock lock(state_.mutex);
    for (const Identity& identity : user.identities) {
      if (state_.identity_owners.contains(key(user.app_id, identity.provider_type, identity.id))) {
        return CreateUserOutcome::identity_taken;
      }
    }
    if (!state_.users.emplace(key(user.app_id, user.id), UserRow{user, {}, {}}).second) return stored_twice();
    for (const Identity& identity : user.identities) {
      state_.identity_owners.emplace(key(user.app_id, identity.provider_type, identity.id), user.id);
      state_.bind_account(user.app_id, user.id, identity);
    }
    return CreateUserOutcome::created;
  }

  Result<std::optional<User>> find(std::string_view app_id, std::string_view user_id) override {
    const std::scoped_lock lock(state_.mutex);
    const UserRow* row = state_.user(app_id, user_id);
    return row == nullptr ? std::optional<User>() : std::optional(row->user);
  }

  Result<std::optional<User>> find_by_identity(std::string_view app_id, std::string_view provider_type,
                                               std::string_view identity_id) override {
    const std::scoped_lock lock(state_.mutex);
    const auto owner = state_.identity_owners.find(key(app_id, provider_type, identity_id));
    if (owner == state_.identity_owners.end()) return std::optional<User>();
    return std::optional(state_.user(app_id, owner->second)->user);
  }

  Result<std::vector<User>> list(std::string_view app_id, const PageRequest& page) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<User> all;
    for_each_of_app(state_.users, app_id, [&](const Key&, const UserRow& row) { all.push_back(row.user); });
    return page_of(std::move(all), page);
  }

  Result<LinkOutcome> link(std::string_view app_id, std::string_view user_id,
                           const Identity& identity) override {
    const std::scoped_lock lock(state_.mutex);
    UserRow* row = state_.user(app_id, user_id);
    if (row == nullptr) return LinkOutcome::no_user;
    const LongKey identity_key = key(app_id, identity.provider_type, identity.id);
    const auto owner = state_.identity_owners.find(identity_key);
    if (owner != state_.identity_owners.end()) {
      return owner->second == user_id ? LinkOutcome::already_linked : LinkOutcome::owned_by_other;
    }
    std::vector<Identity>& identities = row->user.identities;
    if (identity.provider_type == "local-userpass" &&
        std::any_of(identities.begin(), identities.end(),
                    [](const Identity& each) { return each.provider_type == "local-userpass"; })) {
      return LinkOutcome::type_already_linked;
    }
    identities.push_back(identity);
    state_.identity_owners.emplace(identity_key, std::string(user_id));
    state_.bind_account(app_id, user_id, identity);
    return LinkOutcome::linked;
  }

  Result<void> update_identity_data(std::string_view app_id, std::string_view provider_type,
                                    std::string_view identity_id, const json::Object& data) override {
    const std::scoped_lock lock(state_.mutex);
    if (Identity* identity = state_.identity(app_id, provider_type, identity_id)) identity->data = data;
    return {};
  }

  Result<bool> set_disabled(std::string_view app_id, std::string_view user_id, bool disabled,
                            WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    UserRow* row = state_.user(app_id, user_id);
    if (row == nullptr) return false;
    row->user.disabled = disabled;
    ++row->user.generation;
    if (disabled) state_.end_sessions(app_id, user_id, {}, EndReason::user_disabled, now);
    return true;
  }

  Result<bool> remove(std::string_view app_id, std::string_view user_id, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    if (state_.users.erase(key(app_id, user_id)) == 0) return false;
    std::erase_if(state_.identity_owners,
                  [&](const auto& entry) { return entry.first[0] == app_id && entry.second == user_id; });
    std::erase_if(state_.tokens, [&](const auto& entry) {
      const PasswordAccount* account = state_.account(entry.second.app_id, entry.second.account_id);
      return account != nullptr && account->app_id == app_id && account->user_id == user_id;
    });
    const auto is_theirs = [&](const auto& entry) {
      return entry.second.app_id == app_id && entry.second.user_id == user_id;
    };
    std::erase_if(state_.accounts, is_theirs);
    std::erase_if(state_.api_keys, is_theirs);
    state_.end_sessions(app_id, user_id, {}, EndReason::user_deleted, now);
    return true;
  }

  Result<std::vector<std::string>> idle_anonymous(std::string_view app_id, WallTime before,
                                                  int limit) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<std::string> out;
    for_each_of_app(state_.users, app_id, [&](const Key& id, const UserRow& row) {
      const std::vector<Identity>& identities = row.user.identities;
      if (identities.size() != 1 || identities.front().provider_type != "anon-user") return;
      WallTime active = std::max(row.user.last_authentication, row.last_active);
      for (const auto& [session_id, session] : state_.sessions) {
        if (session.app_id == app_id && session.user_id == id.second)
          active = std::max(active, session.last_used);
      }
      if (active < before && static_cast<int>(out.size()) < limit) out.push_back(id.second);
    });
    return out;
  }

 private:
  State& state_;
};

}  // namespace

std::unique_ptr<UserStore> make_user_store(State& state) { return std::make_unique<MemoryUserStore>(state); }

}  // namespace keyturn::server::memory

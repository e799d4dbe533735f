// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "server/storage/memory/paging.hpp"
#include "server/storage/memory/state.hpp"

namespace keyturn::server::memory {
namespace {

class MemoryPasswordStore final : public PasswordStore {
 public:
  explicit MemoryPasswordStore(State& state) : state_(state) {}

  Result<RegisterOutcome> register_account(const PasswordAccount& account) override {
    const std::scoped_lock lock(state_.mutex);
    if (state_.account_by_email(account.app_id, account.email) != nullptr)
      return RegisterOutcome::name_in_use;
    if (!state_.accounts.emplace(key(account.app_id, account.id), account).second) return stored_twice();
    return RegisterOutcome::registered;
  }

  Result<std::optional<PasswordAccount>> find(std::string_view app_id, std::string_view email) override {
    const std::scoped_lock lock(state_.mutex);
    const PasswordAccount* row = state_.account_by_email(app_id, email);
    return row == nullptr ? std::optional<PasswordAccount>() : std::optional(*row);
  }

  Result<std::optional<PasswordAccount>> find_by_id(std::string_view app_id,
                                                    std::string_view account_id) override {
    const std::scoped_lock lock(state_.mutex);
    const PasswordAccount* row = state_.account(app_id, account_id);
    return row == nullptr ? std::optional<PasswordAccount>() : std::optional(*row);
  }

  Result<std::vector<PasswordAccount>> pending(std::string_view app_id, const PageRequest& page) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<PasswordAccount> all;
    for_each_of_app(state_.accounts, app_id, [&](const Key&, const PasswordAccount& row) {
      if (!row.confirmed) all.push_back(row);
    });
    return page_of(std::move(all), page);
  }

  Result<bool> remove(std::string_view app_id, std::string_view email) override {
    const std::scoped_lock lock(state_.mutex);
    const PasswordAccount* row = state_.account_by_email(app_id, email);
    if (row == nullptr || !row->user_id.empty()) return false;
    const std::string id = row->id;
    state_.drop_tokens(app_id, id, EmailTokenPurpose::confirm);
    state_.drop_tokens(app_id, id, EmailTokenPurpose::reset);
    state_.accounts.erase(key(app_id, id));
    return true;
  }

  Result<bool> confirm(std::string_view app_id, std::string_view account_id) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = state_.account(app_id, account_id);
    if (row != nullptr) row->confirmed = true;
    return row != nullptr;
  }

  Result<bool> change_email(std::string_view app_id, std::string_view user_id,
                            std::string_view email) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = nullptr;
    for_each_of_app(state_.accounts, app_id, [&](const Key&, PasswordAccount& each) {
      if (!user_id.empty() && each.user_id == user_id) row = &each;
    });
    if (row == nullptr) return false;
    const PasswordAccount* holder = state_.account_by_email(app_id, email);
    if (holder != nullptr && holder != row) return false;
    row->email = email;
    if (Identity* identity = state_.identity(app_id, "local-userpass", row->id))
      identity->data.set("email", email);
    return true;
  }

  Result<bool> set_pending_password(std::string_view app_id, std::string_view account_id,
                                    std::string_view hash) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = state_.account(app_id, account_id);
    if (row != nullptr) row->pending_password_hash = hash;
    return row != nullptr;
  }

  Result<bool> rehash(std::string_view app_id, std::string_view account_id, std::string_view old_hash,
                      std::string_view new_hash) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = state_.account(app_id, account_id);
    if (row == nullptr || row->password_hash != old_hash) return false;
    row->password_hash = new_hash;
    return true;
  }

  Result<bool> set_password(std::string_view app_id, std::string_view account_id, std::string_view hash,
                            bool end_sessions, std::string_view except_session, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = state_.account(app_id, account_id);
    if (row == nullptr) return false;
    change_password(*row, hash, end_sessions, except_session, now);
    return true;
  }

  Result<void> add_token(const EmailToken& token) override {
    const std::scoped_lock lock(state_.mutex);
    state_.drop_tokens(token.app_id, token.account_id, token.purpose);
    if (!state_.tokens.emplace(key(token.app_id, token.id), token).second) return stored_twice();
    return {};
  }

  Result<TokenOutcome> confirm_with_token(std::string_view app_id, std::string_view token_id,
                                          std::string_view token_hash, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = use_token(app_id, token_id, token_hash, EmailTokenPurpose::confirm, now);
    if (row == nullptr) return TokenOutcome::invalid;
    row->confirmed = true;
    return TokenOutcome::done;
  }

  Result<std::optional<PasswordAccount>> find_by_token(std::string_view app_id, std::string_view token_id,
                                                       EmailTokenPurpose purpose) override {
    const std::scoped_lock lock(state_.mutex);
    const auto found = state_.tokens.find(key(app_id, token_id));
    std::optional<PasswordAccount> out;
    if (found == state_.tokens.end() || found->second.purpose != purpose) return out;
    if (const PasswordAccount* row = state_.account(app_id, found->second.account_id)) out = *row;
    return out;
  }

  Result<TokenOutcome> reset_with_token(std::string_view app_id, std::string_view token_id,
                                        std::string_view token_hash, std::string_view new_hash,
                                        bool end_sessions, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    PasswordAccount* row = use_token(app_id, token_id, token_hash, EmailTokenPurpose::reset, now);
    if (row == nullptr) return TokenOutcome::invalid;
    const std::string pending = row->pending_password_hash;
    change_password(*row, pending.empty() ? new_hash : std::string_view(pending), end_sessions, {}, now);
    return TokenOutcome::done;
  }

 private:
  /// The token's account when the token is good; it is gone then.
  PasswordAccount* use_token(std::string_view app_id, std::string_view token_id, std::string_view token_hash,
                             EmailTokenPurpose purpose, WallTime now) {
    const auto found = state_.tokens.find(key(app_id, token_id));
    if (found == state_.tokens.end()) return nullptr;
    const EmailToken& token = found->second;
    if (token.purpose != purpose || token.token_hash != token_hash || now >= token.expires) return nullptr;
    PasswordAccount* row = state_.account(app_id, token.account_id);
    state_.tokens.erase(found);
    return row;
  }

  void change_password(PasswordAccount& row, std::string_view hash, bool end_sessions,
                       std::string_view except, WallTime now) {
    row.password_hash = hash;
    row.pending_password_hash.clear();
    state_.drop_tokens(row.app_id, row.id, EmailTokenPurpose::reset);
    UserRow* user = end_sessions ? state_.user(row.app_id, row.user_id) : nullptr;
    if (user == nullptr) return;
    ++user->user.generation;
    state_.end_sessions(row.app_id, row.user_id, except, EndReason::password_changed, now);
  }

  State& state_;
};

class MemoryApiKeyStore final : public ApiKeyStore {
 public:
  explicit MemoryApiKeyStore(State& state) : state_(state) {}

  Result<CreateKeyOutcome> create(const ApiKey& new_key) override {
    const std::scoped_lock lock(state_.mutex);
    if (!new_key.user_id.empty() && state_.user(new_key.app_id, new_key.user_id) == nullptr) {
      return CreateKeyOutcome::no_user;
    }
    std::size_t count = 0;
    bool name_taken = false;
    for_each_of_app(state_.api_keys, new_key.app_id, [&](const Key&, const ApiKey& each) {
      if (each.user_id != new_key.user_id) return;
      ++count;
      name_taken = name_taken || each.name == new_key.name;
    });
    if (name_taken) return CreateKeyOutcome::name_in_use;
    if (count >= (new_key.user_id.empty() ? 100U : 20U)) return CreateKeyOutcome::too_many;
    if (!state_.api_keys.emplace(key(new_key.app_id, new_key.id), new_key).second) return stored_twice();
    return CreateKeyOutcome::created;
  }

  Result<std::vector<ApiKey>> list(std::string_view app_id, std::string_view user_id) override {
    const std::scoped_lock lock(state_.mutex);
    std::vector<ApiKey> out;
    for_each_of_app(state_.api_keys, app_id, [&](const Key&, const ApiKey& each) {
      if (each.user_id == user_id) out.push_back(each);
    });
    return out;
  }

  Result<std::optional<ApiKey>> find(std::string_view app_id, std::string_view user_id,
                                     std::string_view key_id) override {
    const std::scoped_lock lock(state_.mutex);
    const ApiKey* row = own_key(app_id, user_id, key_id);
    return row == nullptr ? std::optional<ApiKey>() : std::optional(*row);
  }

  Result<std::optional<ApiKey>> find_by_hash(std::string_view app_id, std::string_view key_hash) override {
    const std::scoped_lock lock(state_.mutex);
    std::optional<ApiKey> out;
    for_each_of_app(state_.api_keys, app_id, [&](const Key&, const ApiKey& each) {
      if (each.key_hash == key_hash) out = each;
    });
    return out;
  }

  Result<bool> set_disabled(std::string_view app_id, std::string_view user_id, std::string_view key_id,
                            bool disabled, WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    ApiKey* row = own_key(app_id, user_id, key_id);
    if (row == nullptr) return false;
    row->disabled = disabled;
    if (disabled) end_sessions_of_key(app_id, key_id, now);
    return true;
  }

  Result<bool> remove(std::string_view app_id, std::string_view user_id, std::string_view key_id,
                      WallTime now) override {
    const std::scoped_lock lock(state_.mutex);
    if (own_key(app_id, user_id, key_id) == nullptr) return false;
    state_.api_keys.erase(key(app_id, key_id));
    end_sessions_of_key(app_id, key_id, now);
    return true;
  }

 private:
  ApiKey* own_key(std::string_view app_id, std::string_view user_id, std::string_view key_id) {
    const auto found = state_.api_keys.find(key(app_id, key_id));
    return found == state_.api_keys.end() || found->second.user_id != user_id ? nullptr : &found->second;
  }

  void end_sessions_of_key(std::string_view app_id, std::string_view key_id, WallTime now) {
    for (auto& [id, session] : state_.sessions) {
      if (session.app_id != app_id || session.provider_type != "api-key" || session.identity_id != key_id)
        continue;
      if (session.ended) continue;
      session.ended = now;
      session.reason = EndReason::revoked;
    }
  }

  State& state_;
};

}  // namespace

std::unique_ptr<PasswordStore> make_password_store(State& state) {
  return std::make_unique<MemoryPasswordStore>(state);
}
std::unique_ptr<ApiKeyStore> make_api_key_store(State& state) {
  return std::make_unique<MemoryApiKeyStore>(state);
}

}  // namespace keyturn::server::memory

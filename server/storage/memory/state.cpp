// SPDX-License-Identifier: Apache-2.0
#include "server/storage/memory/state.hpp"

namespace keyturn::server::memory {

UserRow* State::user(std::string_view app_id, std::string_view user_id) {
  const auto found = users.find(key(app_id, user_id));
  return found == users.end() ? nullptr : &found->second;
}

PasswordAccount* State::account(std::string_view app_id, std::string_view account_id) {
  const auto found = accounts.find(key(app_id, account_id));
  return found == accounts.end() ? nullptr : &found->second;
}

PasswordAccount* State::account_by_email(std::string_view app_id, std::string_view email) {
  PasswordAccount* found = nullptr;
  for_each_of_app(accounts, app_id, [&](const Key&, PasswordAccount& row) {
    if (row.email == email) found = &row;
  });
  return found;
}

Identity* State::identity(std::string_view app_id, std::string_view provider_type, std::string_view id) {
  const auto owner = identity_owners.find(key(app_id, provider_type, id));
  if (owner == identity_owners.end()) return nullptr;
  UserRow* row = user(app_id, owner->second);
  if (row == nullptr) return nullptr;
  for (Identity& each : row->user.identities) {
    if (each.provider_type == provider_type && each.id == id) return &each;
  }
  return nullptr;
}

int State::end_sessions(std::string_view app_id, std::string_view user_id, std::string_view except,
                        EndReason reason, WallTime now) {
  int count = 0;
  for (auto& [id, session] : sessions) {
    if (session.app_id != app_id || session.user_id != user_id || id == except || session.ended) continue;
    session.ended = now;
    session.reason = reason;
    ++count;
  }
  return count;
}

void State::bind_account(std::string_view app_id, std::string_view user_id, const Identity& identity) {
  if (identity.provider_type != "local-userpass") return;
  PasswordAccount* row = account(app_id, identity.id);
  if (row != nullptr && row->user_id.empty()) row->user_id = user_id;
}

void State::drop_tokens(std::string_view app_id, std::string_view account_id, EmailTokenPurpose purpose) {
  std::erase_if(tokens, [&](const auto& entry) {
    const EmailToken& token = entry.second;
    return token.app_id == app_id && token.account_id == account_id && token.purpose == purpose;
  });
}

}  // namespace keyturn::server::memory

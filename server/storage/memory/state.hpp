// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server::memory {

/// (app id, id)
using Key = std::pair<std::string, std::string>;
/// (app id, provider type or kind, id)
using LongKey = std::array<std::string, 3>;

struct SeenDevice {
  Device device;
  WallTime seen;
};

struct UserRow {
  User user;
  WallTime last_active;                       ///< Of sessions that were purged.
  std::map<std::string, SeenDevice> devices;  ///< By device id.
};

struct SecretRow {
  std::string name;
  Secret value;
};

/// Everything that is stored. Each public call of a store holds `mutex` from beginning to end.
struct State {
  std::mutex mutex;
  std::map<Key, UserRow> users;
  std::map<LongKey, std::string> identity_owners;
  std::map<std::string, Session, std::less<>> sessions;
  std::map<Key, PasswordAccount> accounts;
  std::map<Key, EmailToken> tokens;
  std::map<Key, ApiKey> api_keys;
  std::map<std::string, App, std::less<>> apps;
  std::map<Key, AuthProvider> providers;
  std::map<Key, SecretRow> secrets;
  std::map<LongKey, json::Value> documents;

  [[nodiscard]] UserRow* user(std::string_view app_id, std::string_view user_id);
  [[nodiscard]] PasswordAccount* account(std::string_view app_id, std::string_view account_id);
  [[nodiscard]] PasswordAccount* account_by_email(std::string_view app_id, std::string_view email);
  [[nodiscard]] Identity* identity(std::string_view app_id, std::string_view provider_type,
                                   std::string_view id);
  /// Ends the live sessions of a user but `except`; answers how many.
  int end_sessions(std::string_view app_id, std::string_view user_id, std::string_view except,
                   EndReason reason, WallTime now);
  /// Binds the password account that a `local-userpass` identity names.
  void bind_account(std::string_view app_id, std::string_view user_id, const Identity& identity);
  void drop_tokens(std::string_view app_id, std::string_view account_id, EmailTokenPurpose purpose);
};

inline Key key(std::string_view app_id, std::string_view id) {
  return {std::string(app_id), std::string(id)};
}
inline LongKey key(std::string_view app_id, std::string_view kind, std::string_view id) {
  return {std::string(app_id), std::string(kind), std::string(id)};
}

/// The rows of one app in a map whose key begins with the app id.
template <class Map, class Use>
void for_each_of_app(Map& map, std::string_view app_id, Use use) {
  for (auto& [id, row] : map) {
    if (std::get<0>(id) == app_id) use(id, row);
  }
}

/// What a database says to a primary key that exists.
inline Error stored_twice() { return {ErrorCode::ServiceUnavailable, "the storage refused the write"}; }

std::unique_ptr<SessionStore> make_session_store(State& state);
std::unique_ptr<UserStore> make_user_store(State& state);
std::unique_ptr<PasswordStore> make_password_store(State& state);
std::unique_ptr<ApiKeyStore> make_api_key_store(State& state);
std::unique_ptr<AppStore> make_app_store(State& state);

}  // namespace keyturn::server::memory

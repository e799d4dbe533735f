// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/sessions/session_service.hpp"

namespace keyturn::server {

struct NewApiKey {
  ApiKey key;
  Secret value;  ///< 64 letters and digits; shown this once.
};

/// What is kept of a key (rule V14): it has 64 random characters, so no slow hash is needed.
[[nodiscard]] std::string hash_of_api_key(std::string_view key);

/// API keys of users (client-api.md 11) and of apps (admin-api.md 10). Thread safety and errors: as
/// `SessionService`.
class ApiKeyService {
 public:
  ApiKeyService(ApiKeyStore& keys, UserStore& users, Clock& clock);

  // The caller's own keys; the caller comes from a refresh token.
  Result<NewApiKey> create(const Caller& caller, std::string_view name);
  Result<std::vector<ApiKey>> list(const Caller& caller);
  Result<ApiKey> get(const Caller& caller, std::string_view key_id);
  Result<void> remove(const Caller& caller, std::string_view key_id);
  Result<void> set_disabled(const Caller& caller, std::string_view key_id, bool disabled);

  // Server keys of an app.
  Result<NewApiKey> create_server_key(const AppView& app, std::string_view name);
  Result<std::vector<ApiKey>> list_server_keys(const AppView& app);
  Result<ApiKey> get_server_key(const AppView& app, std::string_view key_id);
  Result<void> remove_server_key(const AppView& app, std::string_view key_id);
  Result<void> set_server_key_disabled(const AppView& app, std::string_view key_id, bool disabled);

 private:
  ApiKeyStore& keys_;
  UserStore& users_;
  Clock& clock_;
};

}  // namespace keyturn::server

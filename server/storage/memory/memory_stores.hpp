// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server::memory {

struct State;

/// All five stores in the memory of this process, for tests and for trying things out: nothing survives it.
///
/// Thread safety: all members of all stores; one mutex orders them, so each call is one atomic step.
/// Lifetime: the stores live as long as this object. Errors: none but for an id that is stored twice
/// (`ServiceUnavailable`, as a database would answer).
class MemoryStores {
 public:
  MemoryStores();
  ~MemoryStores();
  MemoryStores(const MemoryStores&) = delete;
  MemoryStores& operator=(const MemoryStores&) = delete;

  [[nodiscard]] SessionStore& sessions() noexcept { return *sessions_; }
  [[nodiscard]] UserStore& users() noexcept { return *users_; }
  [[nodiscard]] PasswordStore& passwords() noexcept { return *passwords_; }
  [[nodiscard]] ApiKeyStore& api_keys() noexcept { return *api_keys_; }
  [[nodiscard]] AppStore& apps() noexcept { return *apps_; }

 private:
  std::unique_ptr<State> state_;
  std::unique_ptr<SessionStore> sessions_;
  std::unique_ptr<UserStore> users_;
  std::unique_ptr<PasswordStore> passwords_;
  std::unique_ptr<ApiKeyStore> api_keys_;
  std::unique_ptr<AppStore> apps_;
};

}  // namespace keyturn::server::memory

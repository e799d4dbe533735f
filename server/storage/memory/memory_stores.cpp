// SPDX-License-Identifier: Apache-2.0
#include "server/storage/memory/memory_stores.hpp"

#include "server/storage/memory/state.hpp"

namespace keyturn::server::memory {

MemoryStores::MemoryStores()
    : state_(std::make_unique<State>()),
      sessions_(make_session_store(*state_)),
      users_(make_user_store(*state_)),
      passwords_(make_password_store(*state_)),
      api_keys_(make_api_key_store(*state_)),
      apps_(make_app_store(*state_)) {}

MemoryStores::~MemoryStores() = default;

}  // namespace keyturn::server::memory

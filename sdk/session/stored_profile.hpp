// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/protocol/messages.hpp"
#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

/// Whether anonymous is the only way in which this user can log in: logging out then means losing the
/// account.
[[nodiscard]] bool is_only_anonymous(const StoredUser& user);

/// Keeps what a profile says as facts of the user.
void take_profile(StoredUser& user, const protocol::Profile& profile);

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "server/api/call.hpp"

namespace keyturn::server::api {

/// Forgets what a removed user's devices have registered. What a store's fault leaves behind names a user
/// that is no more, and nobody can list it.
void forget_push_registrations(Call& call, std::string_view user_id);

}  // namespace keyturn::server::api

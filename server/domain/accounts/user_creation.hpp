// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/base/result.hpp>

#include "server/domain/apps/function_runtime.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

/// Runs the app's user-creation function with a user that is about to be stored (functions.md 5.4). Success
/// when the app has none. Of two first log-ins of one identity at the same time both may call it; one of the
/// two users comes into being.
///
/// Errors: 401 `AuthError` with what the function threw; those of the runtime, so that a fault never looks
/// like a verdict.
[[nodiscard]] Result<void> ask_before_creating(FunctionRuntime* runtime, const App& app, const User& user);

}  // namespace keyturn::server

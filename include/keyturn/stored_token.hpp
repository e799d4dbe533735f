// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <keyturn/app.hpp>
#include <keyturn/base/result.hpp>

namespace keyturn {

/// The stored access token of this device's current user, when it may be handed out as it is: what
/// `App::get_current_user()` and `User::valid_access_token(min_validity)` would give at once and without
/// another thought, by the same rule. For programs that end as soon as they have a token, which an `App` with
/// its threads costs more than the token itself.
///
/// Nothing means "ask an `App`", and is no error: nobody is logged in, the token has to be refreshed now or
/// is about to be, the store does not exist yet or has to be brought up to date first, or it is one in
/// memory. Who does not do so is left with a token that runs out.
///
/// One read of the store, and nothing else: no network, no thread but the one that asks the Secret Service;
/// no session is made or changed, and no other process is woken. Waits: for the key's place (10 s at most)
/// and for another process's step in the store (2 s at most). Of the configuration it looks at the app id,
/// the base URL and the store.
///
/// Thread safety: any thread, beside any number of `App`s of this and other processes.
/// Lifetime: the token is a copy, and goes out of date as every token does: ask again for each request.
/// Errors: those of `App`'s constructor for these parts of the configuration and for the store, before it
/// would try to repair that one. Each can be met by opening an `App`, which repairs what can be.
[[nodiscard]] Result<std::optional<std::string>> stored_access_token(
    const App::configuration& config, std::chrono::seconds min_validity = std::chrono::seconds{10});

}  // namespace keyturn

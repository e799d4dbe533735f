// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <keyturn/app.hpp>

#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

// What an app's configuration means on this machine, for an `App` and for who only reads its store.
namespace keyturn::sdk {

/// The base URL without trailing slashes. Errors: `InvalidConfiguration` for an app id or a base URL that
/// cannot be used.
[[nodiscard]] Result<std::string> check_app(const App::configuration& config);

/// Of a store on the disk. Errors: `InvalidConfiguration` when no folder is known, or for a key that cannot
/// be right.
[[nodiscard]] Result<SqliteTokenStoreOptions> store_options(const App::configuration& config,
                                                            const std::string& base_url);

/// Names this boot of the machine; empty where the system does not say, and then stored times are judged by
/// server time.
[[nodiscard]] std::string boot_id();

/// Evenly spread bits.
[[nodiscard]] std::uint32_t chance();

}  // namespace keyturn::sdk

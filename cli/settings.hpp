// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <keyturn/app.hpp>
#include <keyturn/base/result.hpp>

#include "cli/terminal.hpp"

namespace keyturn::cli {

/// Which app of which server, and where its sessions are kept.
struct Settings {
  std::string app_id;
  std::string base_url;
  std::filesystem::path store;
  std::filesystem::path key_file;  ///< Of the store.
};

/// The default folder of the store: `$XDG_DATA_HOME/keyturn`, else `~/.local/share/keyturn`.
[[nodiscard]] std::filesystem::path default_store(const Terminal& terminal);

/// The default key file of the store: `keyturn/store.key` in `$XDG_CONFIG_HOME`, else in `~/.config`, apart
/// from the store; in the store's folder when neither variable is set.
[[nodiscard]] std::filesystem::path default_key_file(const std::filesystem::path& store,
                                                     const Terminal& terminal);

/// Fills what is empty: from KEYTURN_APP, KEYTURN_BASE_URL, KEYTURN_STORE and KEYTURN_KEY_FILE, then from
/// what the last log-in remembered in the store. What is known nowhere stays empty.
[[nodiscard]] Settings filled(Settings given, const Terminal& terminal);

/// The same, complete. Errors: `InvalidConfiguration` naming what is missing.
[[nodiscard]] Result<Settings> complete(Settings given, const Terminal& terminal);

/// How the SDK is asked for that app.
[[nodiscard]] App::configuration configuration_of(const Settings& settings);

/// Keeps app and server in the store's folder (file 0600), so that `keyturn token` alone is enough
/// afterwards.
[[nodiscard]] Result<void> remember(const Settings& settings);

}  // namespace keyturn::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

struct SqliteTokenStoreOptions {
  std::filesystem::path directory;
  std::string app_id;
  std::string base_url;
  /// How long one step waits for another process's step.
  std::chrono::milliseconds busy_timeout{2'000};
};

/// Opens the store in `directory`/keyturn.db: one file for all apps of the folder, whose users are kept apart
/// by app id and base URL. Write-ahead log, each step synced to the disk before it returns (rule S4;
/// asserted). Errors, beside those of the port: `InvalidConfiguration` for a folder or file that others may
/// touch. Nothing is ever deleted or repaired.
[[nodiscard]] Result<std::unique_ptr<TokenStore>> open_sqlite_token_store(
    const SqliteTokenStoreOptions& options);

}  // namespace keyturn::sdk

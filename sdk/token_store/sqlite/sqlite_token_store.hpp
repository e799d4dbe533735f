// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sdk/token_store/key_source/key_source.hpp"
#include "sdk/token_store/token_book.hpp"
#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

struct SqliteTokenStoreOptions {
  std::filesystem::path directory;
  std::string app_id;
  std::string base_url;
  std::shared_ptr<KeySource> keys;
  /// How long opening, recovering and the steps of an app that closes wait for another process's step.
  std::chrono::milliseconds busy_timeout{2'000};
  /// Told of recoveries, one line each. Called under the store's lock: must not come back to the store.
  std::function<void(std::string_view)> log{};
  /// How long any other step waits: as long as a step usually takes, no longer, as that process may be
  /// frozen.
  std::chrono::milliseconds step_wait{25};
};

/// Opens the store of an app in `directory`/keyturn-<hash of app id and base URL>.db. Write-ahead log, each
/// step synced to the disk before it returns (rule S4; asserted). Every record is sealed with
/// XChaCha20-Poly1305 under a key from `keys`, and bound to its place, its app and its time. After each
/// log-in and log-out the whole is copied to <name>.good; a store that is damaged, has lost its file or its
/// last steps is recovered from there, and the damaged file is set aside. Errors, beside those of the port:
/// `InvalidConfiguration` for a folder or file that others may touch. What cannot be read is never deleted.
[[nodiscard]] Result<std::unique_ptr<TokenStore>> open_sqlite_token_store(
    const SqliteTokenStoreOptions& options);

/// What such a store holds at this moment, for a program that only reads: cheaper than to open it. Nothing is
/// made, changed or recovered, and no process that watches the store is woken. Nothing: there is no store, or
/// one that opening would bring up to date first. Errors: as for opening, before it recovers anything.
[[nodiscard]] Result<std::optional<TokenBook>> read_sqlite_token_store(
    const SqliteTokenStoreOptions& options);

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/data/document_store.hpp"
#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server::sqlite {

class Database;

struct SqliteOptions {
  std::filesystem::path folder;  ///< Holds `keyturn.db` and its log (0600), and `lock`.
  /// Gets one line per fault of storage, for the operator's log; may name tables, never holds stored values.
  /// Called from the thread that met the fault, with no lock held. May be empty.
  std::function<void(std::string_view)> diagnostics;
  std::size_t session_cache_entries = 131'072;  ///< About 120 bytes each, taken as they are used.
  /// For new ids and `$currentDate` in documents. Null: the system's. Must outlive the stores.
  Clock* clock = nullptr;
};

/// All six stores in one SQLite file: write-ahead log, `synchronous=FULL` (read back before each write, rule
/// V2), one process at a time. A step that is answered with success has been synced to the disk.
///
/// Values that need no reading back are hashes only (rule V14: passwords, API keys, e-mail tokens). App
/// secrets must be read back and are stored as they are: what guards them is the mode of the file and folder.
///
/// Thread safety: all members of all stores. Waits: for another writer, or a lock that a foreign tool holds,
/// 2 s each. Lifetime: the stores live as long as this object. Errors: `ServiceUnavailable` with a text that
/// names nothing.
class SqliteStores {
 public:
  /// Opens or makes the database and brings it up to date, in a time that does not depend on the number of
  /// rows. Errors, one clear line each: `InvalidConfiguration` (the folder or file is open to others),
  /// `StoreLocked` (another process has it), `StoreCorrupt` (no database, or another program's),
  /// `StoreNewerVersion`, `StoreUnavailable`. A file that is refused is left as it is.
  static Result<std::unique_ptr<SqliteStores>> open(const SqliteOptions& options);
  ~SqliteStores();
  SqliteStores(const SqliteStores&) = delete;
  SqliteStores& operator=(const SqliteStores&) = delete;

  [[nodiscard]] SessionStore& sessions() noexcept { return *sessions_; }
  [[nodiscard]] UserStore& users() noexcept { return *users_; }
  [[nodiscard]] PasswordStore& passwords() noexcept { return *passwords_; }
  [[nodiscard]] ApiKeyStore& api_keys() noexcept { return *api_keys_; }
  [[nodiscard]] AppStore& apps() noexcept { return *apps_; }
  [[nodiscard]] DocumentStore& documents() noexcept { return *documents_; }

  /// Ends every live session of every app in one step, and any log-in under way (rules V27, V28). Answers how
  /// many were live.
  Result<int> end_every_session(EndReason reason, WallTime now);

  /// For this folder's tests.
  [[nodiscard]] Database& database_for_test() noexcept { return *database_; }

 private:
  SqliteStores(std::unique_ptr<Database> database, Clock& clock);

  std::unique_ptr<Database> database_;
  std::unique_ptr<SessionStore> sessions_;
  std::unique_ptr<UserStore> users_;
  std::unique_ptr<PasswordStore> passwords_;
  std::unique_ptr<ApiKeyStore> api_keys_;
  std::unique_ptr<AppStore> apps_;
  std::unique_ptr<DocumentStore> documents_;
};

}  // namespace keyturn::server::sqlite

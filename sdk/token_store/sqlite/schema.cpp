// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/schema.hpp"

#include "sdk/token_store/sqlite/statement.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::int64_t kApplicationId = 0x4b74746b;  // "Kttk": tells this file from other programs' databases
constexpr std::int64_t kVersion = 1;

constexpr const char* kTables = R"sql(
CREATE TABLE app(
  number INTEGER PRIMARY KEY, app_id TEXT NOT NULL, base_url TEXT NOT NULL,
  current_user_id TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 1,
  next_generation INTEGER NOT NULL DEFAULT 1,
  UNIQUE(app_id, base_url));
CREATE TABLE user(
  app INTEGER NOT NULL, user_id TEXT NOT NULL, logged_in INTEGER NOT NULL,
  access_token BLOB NOT NULL, refresh_token BLOB NOT NULL,
  device_id TEXT NOT NULL, provider_type TEXT NOT NULL, profile_json TEXT NOT NULL, identities_json TEXT NOT NULL,
  generation INTEGER NOT NULL,
  boot_id TEXT NOT NULL, received_boot INTEGER NOT NULL, received_server_time INTEGER NOT NULL, received_wall INTEGER NOT NULL,
  end_reason TEXT NOT NULL, recency INTEGER NOT NULL,
  PRIMARY KEY(app, user_id)) WITHOUT ROWID;
CREATE TABLE outbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT, app INTEGER NOT NULL, user_id TEXT NOT NULL, refresh_token BLOB NOT NULL);
)sql";

/// A pragma's only value; -1 after a fault, which `code` tells.
std::int64_t pragma(sqlite3* database, const char* sql, int& code) {
  Statement statement(database, sql);
  const std::int64_t value = statement.row() ? statement.integer(0) : -1;
  code = statement.code();
  return value;
}

Result<void> execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return store_error(sqlite3_extended_errcode(database));
  return {};
}

Result<void> check_version(sqlite3* database, bool& empty) {
  int code = SQLITE_OK;
  const std::int64_t version = pragma(database, "PRAGMA user_version", code);
  if (code != SQLITE_OK) return store_error(code);
  const std::int64_t owner = pragma(database, "PRAGMA application_id", code);
  if (code != SQLITE_OK) return store_error(code);
  const std::int64_t tables = pragma(database, "SELECT count(*) FROM sqlite_schema", code);
  if (code != SQLITE_OK) return store_error(code);
  empty = version == 0 && tables == 0 && owner == 0;
  if (empty) return {};
  if (owner != kApplicationId)
    return Error(ErrorCode::StoreCorrupt, "the file is not a token store; it was left as it is");
  if (version > kVersion)
    return Error(ErrorCode::StoreNewerVersion, "the token store was written by a newer version");
  return {};
}

Result<void> make_tables(sqlite3* database) {
  if (auto begun = execute(database, "BEGIN IMMEDIATE"); !begun) return begun;
  bool empty = false;  // another process may have made them meanwhile
  auto made = check_version(database, empty);
  if (made && empty) made = execute(database, kTables);
  if (made && empty) made = execute(database, "PRAGMA application_id = 1265923179; PRAGMA user_version = 1;");
  if (made) made = execute(database, "COMMIT");
  if (!made) (void)execute(database, "ROLLBACK");
  return made;
}
static_assert(kApplicationId == 1265923179 && kVersion == 1);

}  // namespace

Result<void> prepare_database(sqlite3* database) {
  bool empty = false;
  // First, so that a file which is not ours is not changed.
  if (auto checked = check_version(database, empty); !checked) return checked;
  if (auto set = execute(database,
                         "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;");
      !set)
    return set;
  {
    Statement journal(database, "PRAGMA journal_mode = WAL");
    const bool is_wal = journal.row() && journal.view(0) == "wal";
    if (journal.code() != SQLITE_OK) return store_error(journal.code());
    if (!is_wal)
      return Error(ErrorCode::StoreUnavailable, "the token store cannot use a write-ahead log here");
  }
  int code = SQLITE_OK;
  if (pragma(database, "PRAGMA synchronous", code) != 2)
    return Error(ErrorCode::StoreUnavailable, "the token store cannot be synced");
  return empty ? make_tables(database) : Result<void>();
}

Result<std::int64_t> app_number(sqlite3* database, std::string_view app_id, std::string_view base_url) {
  for (int round = 0; round < 2; ++round) {
    {
      Statement found(database, "SELECT number FROM app WHERE app_id = ?1 AND base_url = ?2", app_id,
                      base_url);
      if (found.row()) return found.integer(0);
      if (found.code() != SQLITE_OK) return store_error(found.code());
    }
    const int code =
        Statement(database, "INSERT INTO app(app_id, base_url) VALUES(?1, ?2) ON CONFLICT DO NOTHING", app_id,
                  base_url)
            .run();
    if (code != SQLITE_OK) return store_error(code);
  }
  return Error(ErrorCode::StoreUnavailable, "the token store does not keep what it is given");
}

}  // namespace keyturn::sdk

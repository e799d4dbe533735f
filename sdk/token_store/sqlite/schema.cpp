// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/schema.hpp"

#include "sdk/token_store/sqlite/statement.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::int64_t kApplicationId = 0x4b74746b;  // "Kttk": tells this file from other programs' databases
constexpr std::int64_t kVersion = 2;
static_assert(kApplicationId == 1265923179);

constexpr const char* kTables = R"sql(
CREATE TABLE store(id BLOB NOT NULL, key_check BLOB NOT NULL);
CREATE TABLE record(place BLOB PRIMARY KEY, stamp INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 1265923179;
PRAGMA user_version = 2;
)sql";

/// A pragma's only value; -1 after a fault, which `code` tells.
std::int64_t pragma(sqlite3* database, const char* sql, int& code) {
  Statement statement(database, sql);
  const std::int64_t value = statement.row() ? statement.integer(0) : -1;
  code = statement.code();
  return value;
}

Result<void> check_version(sqlite3* database) {
  int code = SQLITE_OK;
  const std::int64_t owner = pragma(database, "PRAGMA application_id", code);
  if (code != SQLITE_OK) return store_error(code);
  if (owner != kApplicationId)
    return Error(ErrorCode::StoreCorrupt, "the file is not a token store; it was left as it is");
  const std::int64_t version = pragma(database, "PRAGMA user_version", code);
  if (code != SQLITE_OK) return store_error(code);
  if (version > kVersion) return newer_version();
  if (version < kVersion)
    return Error(ErrorCode::StoreCorrupt,
                 "the token store has an older format that is not read; it was left as it is");
  return {};
}

Result<void> set_up_changes(sqlite3* database) {
  if (auto set = execute(database,
                         "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
                         "PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 100;"
                         "PRAGMA journal_size_limit = 0;");
      !set)
    return set;
  int code = SQLITE_OK;
  if (pragma(database, "PRAGMA synchronous", code) != 2)
    return Error(ErrorCode::StoreUnavailable, "the token store cannot be synced");
  return {};
}

}  // namespace

Error newer_version() {
  return {ErrorCode::StoreNewerVersion,
          "the token store was written by a newer version; it was left as it is"};
}

Result<void> execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return store_error(sqlite3_extended_errcode(database));
  return {};
}

Result<Database> open_database(const std::string& file, int busy_timeout_ms, Access access) {
  sqlite3* opened = nullptr;
  const int flags = (access == Access::look ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) return store_error(code);
  sqlite3_busy_timeout(database.get(), busy_timeout_ms);
  // Until it is known to be ours and whole, nothing is moved into it.
  sqlite3_db_config(database.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // A store that was set aside may still be open elsewhere: its end must not take away the log of the file
  // that has its name now.
  int keep = 1;
  sqlite3_file_control(database.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  return database;
}

void checkpoint_at_close(sqlite3* database) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

Result<StoreLabel> prepare_database(sqlite3* database, Access access) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (access == Access::look) {
    if (auto begun = execute(database, "PRAGMA cell_size_check = ON; BEGIN"); !begun) return begun.error();
  }
  if (auto checked = check_version(database); !checked) return checked.error();
  if (access == Access::change) {
    if (auto set = set_up_changes(database); !set) return set.error();
  }
  {
    Statement journal(database, "PRAGMA journal_mode");
    const bool is_wal = journal.row() && journal.view(0) == "wal";
    if (journal.code() != SQLITE_OK) return store_error(journal.code());
    // A store of ours is made with one.
    if (!is_wal) return Error(ErrorCode::StoreCorrupt, "the token store has lost its write-ahead log mode");
  }
  Statement label(database, "SELECT id, key_check FROM store");
  const bool found = label.row();
  if (label.code() != SQLITE_OK) return store_error(label.code());
  if (!found) return Error(ErrorCode::StoreCorrupt, "the token store has lost its label");
  return StoreLabel{label.text(0), label.text(1)};
}

Result<void> make_database(sqlite3* database, const StoreLabel& label,
                           const std::function<Result<void>(sqlite3*)>& fill) {
  if (auto begun = execute(database, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE"); !begun) return begun;
  if (auto made = execute(database, kTables); !made) return made;
  const int code = Statement(database, "INSERT INTO store(id, key_check) VALUES(?1, ?2)",
                             Blob{label.store_id}, Blob{label.key_check})
                       .run();
  if (code != SQLITE_OK) return store_error(code);
  if (auto filled = fill(database); !filled) return filled;
  if (auto done = execute(database, "COMMIT"); !done) return done;
  Statement journal(database, "PRAGMA journal_mode = WAL");
  const bool is_wal = journal.row() && journal.view(0) == "wal";
  if (journal.code() != SQLITE_OK) return store_error(journal.code());
  if (!is_wal) return Error(ErrorCode::StoreUnavailable, "the token store cannot use a write-ahead log here");
  return {};
}

}  // namespace keyturn::sdk

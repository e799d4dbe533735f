// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/database.hpp"

#include "server/storage/sqlite/migrations.hpp"

namespace keyturn::server::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongestWait = 2s;
constexpr const char* kApplicationId = "1263818798";  // As migrations/0001 sets it.

/// Refuses a file of another program or of a newer version, before anything is written to it.
std::optional<Error> refuse_foreign(Connection& sql, int& version) {
  const std::string version_text = sql.pragma("PRAGMA user_version");
  const std::string application = sql.pragma("PRAGMA application_id");
  const std::string tables = sql.pragma("SELECT count(*) FROM sqlite_schema");
  if (sql.failed()) {
    sql.take_fault();
    return Error(ErrorCode::StoreCorrupt,
                 "the database file is damaged or not a database; it was left as it is");
  }
  version = std::stoi(version_text);
  const bool is_new = version == 0 && application == "0" && tables == "0";
  if (!is_new && application != kApplicationId) {
    return Error(ErrorCode::StoreCorrupt,
                 "the database file belongs to another program; it was left as it is");
  }
  if (version > static_cast<int>(migrations().size())) {
    return Error(ErrorCode::StoreNewerVersion,
                 "the database was written by a newer version; it was left as it is");
  }
  return std::nullopt;
}

void migrate(Connection& sql, int version) {
  for (const Migration& migration : migrations()) {
    if (migration.version <= version || sql.failed()) continue;
    sql.execute("BEGIN IMMEDIATE");
    sql.execute(migration.sql);
    sql.execute("COMMIT");
    if (!sql.failed() && sql.pragma("PRAGMA user_version") != std::to_string(migration.version)) {
      sql.fail("a migration did not set its version");
    }
  }
}

Result<std::unique_ptr<Connection>> open_reader(const std::string& file) {
  Result<std::unique_ptr<Connection>> connection = Connection::open(file);
  if (!connection) return connection;
  (*connection)->execute("PRAGMA query_only = ON; PRAGMA cache_size = -1024");
  if ((*connection)->failed()) return Error(ErrorCode::StoreUnavailable, "the database cannot be read");
  return connection;
}

}  // namespace

void assert_durable(Connection& sql) {
  if (sql.pragma("PRAGMA synchronous") != "2")
    sql.fail("PRAGMA synchronous is not FULL: a commit would not be durable");
}

Result<std::unique_ptr<Database>> Database::open(const SqliteOptions& options) {
  Result<DataFolder> folder = DataFolder::open(options.folder);
  if (!folder) return folder.error();
  Result<std::string> file = folder->database_file();
  if (!file) return file.error();
  std::unique_ptr<Database> database(new Database(std::move(*folder), options));

  Result<std::unique_ptr<Connection>> writer = Connection::open(*file);
  if (!writer) return writer.error();
  Connection& sql = **writer;
  int version = 0;
  if (std::optional<Error> foreign = refuse_foreign(sql, version)) {
    sql.keep_log_on_close();
    return *std::move(foreign);
  }
  if (sql.pragma("PRAGMA journal_mode = WAL") != "wal")
    sql.fail("the database cannot keep a write-ahead log");
  sql.execute(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -2048;"
      "PRAGMA journal_size_limit = 67108864");
  assert_durable(sql);
  if (sql.pragma("PRAGMA foreign_keys") != "1") sql.fail("the database does not keep foreign keys");
  migrate(sql, version);
  if (sql.failed()) {
    database->refuse(undo(sql));
    return Error(ErrorCode::StoreUnavailable, "the database cannot be prepared");
  }
  database->writer_.connection = std::move(*writer);
  for (Lane* lane : {&database->reader_, &database->session_reader_}) {
    Result<std::unique_ptr<Connection>> reader = open_reader(*file);
    if (!reader) return reader.error();
    lane->connection = std::move(*reader);
  }
  return database;
}

std::unique_lock<BoundedMutex> Database::take(Lane& lane) {
  return std::unique_lock<BoundedMutex>(lane.mutex, kLongestWait);
}

void Database::begin(Connection& sql) {
  assert_durable(sql);
  sql.run("BEGIN IMMEDIATE");
}

void Database::commit(WriteStep& step) {
  if (step.sql.failed()) return;
  const bool sessions_change =
      step.all_sessions_changed || step.sessions_touched || !step.changed_sessions.empty();
  if (step.all_sessions_changed) {
    cache_.begin_change_of_all();
  } else if (sessions_change) {
    cache_.begin_change(step.changed_sessions);
  }
  step.sql.run("COMMIT");
  if (!step.sql.failed() && step.after_commit) step.after_commit(cache_);
  if (sessions_change) cache_.end_change();
}

std::string Database::undo(Connection& sql) {
  std::string fault = sql.take_fault();
  if (sql.in_transaction()) {
    sql.run("ROLLBACK");
    sql.take_fault();
  }
  return fault;
}

Error Database::refuse(std::string_view detail) const {
  if (diagnostics_) diagnostics_(detail);
  return {ErrorCode::ServiceUnavailable, "the storage is not available at the moment"};
}

Result<std::optional<SessionState>> Database::find_session(std::string_view id) {
  if (std::optional<SessionState> cached = cache_.find(id)) return cached;
  const std::uint64_t ticket = cache_.ticket();
  std::optional<SessionState> found;
  std::string fault = "the session connection stayed busy";
  if (std::unique_lock lock = take(session_reader_)) {
    Connection& sql = *session_reader_.connection;
    {
      Query query = sql.query(
          "SELECT app_id, user_id, device_id, provider_type, refresh_expires, last_used, ended IS NOT NULL, reason "
          "FROM sessions WHERE id = ?1",
          id);
      if (query.row()) {
        found = SessionState{query.text(0), query.text(1), query.text(2), query.text(3),
                             query.time(4), query.time(5), query.flag(6), end_reason_from(query.view(7))};
      }
    }
    fault = sql.failed() ? undo(sql) : std::string();
  }
  if (!fault.empty()) return refuse(fault);
  if (found) cache_.put(id, *found, ticket);
  return found;
}

void Database::sabotage_for_test(const char* script) {
  const std::unique_lock lock = take(writer_);
  writer_.connection->execute(script);
  writer_.connection->take_fault();
}

}  // namespace keyturn::server::sqlite

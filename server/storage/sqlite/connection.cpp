// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/connection.hpp"

#include <sqlite3.h>

namespace keyturn::server::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 2'000;

}  // namespace

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::bind(int index, std::string_view text) {
  if (statement_ == nullptr) return;
  const char* data = text.data() == nullptr ? "" : text.data();
  connection_.check(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Query::bind(int index, Blob blob) {
  if (statement_ == nullptr) return;
  const char* data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  connection_.check(sqlite3_bind_blob64(statement_, index, data, blob.bytes.size(), SQLITE_TRANSIENT));
}

void Query::bind(int index, std::int64_t number) {
  if (statement_ != nullptr) connection_.check(sqlite3_bind_int64(statement_, index, number));
}

bool Query::row() {
  if (statement_ == nullptr || connection_.failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.check(code);
  return false;
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::view(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(handle));
  if (code != SQLITE_OK) {
    return Error(ErrorCode::StoreUnavailable,
                 std::string("the database cannot be opened: ") + sqlite3_errstr(code));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // A file from elsewhere must not run code: no functions with side effects in its schema, no writing of the
  // schema.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  return connection;
}

Connection::~Connection() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

sqlite3_stmt* Connection::statement(Sql sql) {
  if (failed()) return nullptr;
  sqlite3_stmt*& kept = statements_[sql.text()];
  if (kept == nullptr) {
    check(sqlite3_prepare_v3(handle_, sql.text(), -1, SQLITE_PREPARE_PERSISTENT, &kept, nullptr));
  }
  return kept;
}

void Connection::execute(const char* script) {
  if (!failed()) check(sqlite3_exec(handle_, script, nullptr, nullptr, nullptr));
}

std::string Connection::pragma(Sql sql) {
  // Not kept: SQLite reads some settings when it prepares the statement.
  if (failed()) return {};
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(handle_, sql.text(), -1, &statement, nullptr));
  std::string value;
  if (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    if (text != nullptr) value = text;
  }
  check(sqlite3_finalize(statement));
  return value;
}

void Connection::fail(std::string detail) {
  if (!fault_) fault_ = std::move(detail);
}

std::string Connection::take_fault() {
  std::string out = fault_.value_or("");
  fault_.reset();
  return out;
}

bool Connection::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }

void Connection::keep_log_on_close() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

int Connection::changes() const noexcept { return sqlite3_changes(handle_); }

void Connection::check(int code) {
  if (code != SQLITE_OK)
    fail(std::string(sqlite3_errmsg(handle_)) + " (SQLite " + std::to_string(code) + ")");
}

}  // namespace keyturn::server::sqlite

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace keyturn::server::sqlite {

/// A statement's text. Only a compile-time constant converts to it, so that no input ever becomes part of
/// SQL.
class Sql {
 public:
  consteval Sql(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr const char* text() const noexcept { return text_; }

 private:
  const char* text_;
};

/// Bytes that are stored as a BLOB.
struct Blob {
  std::string_view bytes;
};

class Connection;

/// One run of a prepared statement; frees it for the next run when destroyed. A text stays valid until the
/// next `row()`.
class Query {
 public:
  /// Binds the arguments to ?1, ?2, ... A null statement (it could not be prepared) makes a query without
  /// rows.
  template <class... Args>
  Query(Connection& connection, sqlite3_stmt* statement, const Args&... args)
      : connection_(connection), statement_(statement) {
    int index = 0;
    (bind(++index, args), ...);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  /// Goes to the next row; false at the end and after a fault (then `Connection::failed()`).
  bool row();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] bool flag(int column) const { return integer(column) != 0; }
  [[nodiscard]] WallTime time(int column) const { return WallTime(WallTime::duration(integer(column))); }
  [[nodiscard]] std::string_view view(int column) const;
  [[nodiscard]] std::string text(int column) const { return std::string(view(column)); }
  [[nodiscard]] bool is_null(int column) const;

 private:
  void bind(int index, std::string_view text);
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, const char* text) { bind(index, std::string_view(text)); }
  void bind(int index, Blob blob);
  void bind(int index, std::int64_t number);
  void bind(int index, int number) { bind(index, static_cast<std::int64_t>(number)); }
  void bind(int index, bool flag) { bind(index, static_cast<std::int64_t>(flag)); }
  void bind(int index, WallTime time) {
    bind(index, static_cast<std::int64_t>(time.time_since_epoch().count()));
  }

  Connection& connection_;
  sqlite3_stmt* statement_;
};

/// One SQLite connection with its prepared statements. The first fault sticks: every later call does nothing
/// and answers zero values, so that a step of several statements asks once, at its end, whether all went
/// well.
///
/// Thread safety: none; the owner serialises.
class Connection {
 public:
  /// Opens an existing file. Errors: `StoreUnavailable` without a path.
  static Result<std::unique_ptr<Connection>> open(const std::string& path);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Prepares (once per text) and binds ?1, ?2, ... in order. The same text must not be in use already.
  template <class... Args>
  [[nodiscard]] Query query(Sql sql, const Args&... args) {
    return Query(*this, statement(sql), args...);
  }
  /// Runs to the end; answers the number of rows changed.
  template <class... Args>
  int run(Sql sql, const Args&... args) {
    Query query(*this, statement(sql), args...);
    while (query.row()) {
    }
    return failed() ? 0 : changes();
  }
  /// Runs several constant statements that are not worth keeping.
  void execute(const char* script);
  /// The value of a pragma that answers one value, read anew. Empty after a fault.
  std::string pragma(Sql sql);

  [[nodiscard]] bool failed() const noexcept { return fault_.has_value(); }
  void fail(std::string detail);
  /// The first fault's detail, for the operator only; the connection is usable again.
  std::string take_fault();
  [[nodiscard]] bool in_transaction() const noexcept;
  /// Closing leaves the write-ahead log where it is, so that the file is not changed.
  void keep_log_on_close();

 private:
  friend class Query;
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  sqlite3_stmt* statement(Sql sql);
  [[nodiscard]] int changes() const noexcept;
  void check(int code);

  sqlite3* handle_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::optional<std::string> fault_;
};

}  // namespace keyturn::server::sqlite

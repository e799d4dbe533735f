// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <functional>
#include <memory>
#include <string>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

/// What the file says of itself before any record is opened.
struct StoreLabel {
  std::string store_id;
  std::string key_check;
};

enum class Access { look, change };

/// Opens a file that exists. Errors: those of SQLite (`store_error`).
[[nodiscard]] Result<Database> open_database(const std::string& file, int busy_timeout_ms,
                                             Access access = Access::change);

/// The file, or its copy, is of a later version of this library.
[[nodiscard]] Error newer_version();

/// Checks that it is a store of this format and sets the connection up. Errors: `StoreCorrupt` for a file
/// that is no store of ours, `StoreNewerVersion`, `StoreUnavailable` when the disk cannot be synced as rule
/// S4 wants. Changes nothing in a file that is not ours. With `Access::look` the connection sees the database
/// as it was at one moment until it is closed, which spares it most of its locks.
[[nodiscard]] Result<StoreLabel> prepare_database(sqlite3* database, Access access = Access::change);

/// For a store that was read as a whole: its log is emptied when the last one closes it.
void checkpoint_at_close(sqlite3* database);

/// Makes the tables in an empty file, in one transaction together with what `fill` writes.
[[nodiscard]] Result<void> make_database(sqlite3* database, const StoreLabel& label,
                                         const std::function<Result<void>(sqlite3*)>& fill);

[[nodiscard]] Result<void> execute(sqlite3* database, const char* sql);

/// A change of the database under its write lock. What is not committed is undone with the object, by an
/// exception too: an open one would keep every other process out.
class Transaction {
 public:
  explicit Transaction(sqlite3* database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() { undo(); }

  [[nodiscard]] Result<void> begin() { return execute(database_, "BEGIN IMMEDIATE"); }
  [[nodiscard]] Result<void> commit() { return execute(database_, "COMMIT"); }
  void undo() noexcept {
    if (sqlite3_get_autocommit(database_) == 0)
      (void)sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }

 private:
  sqlite3* database_;
};

}  // namespace keyturn::sdk

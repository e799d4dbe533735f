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

/// Opens a file that exists. Errors: those of SQLite (`store_error`).
[[nodiscard]] Result<Database> open_database(const std::string& file, int busy_timeout_ms);

/// Checks that it is a store of this format and sets the connection up. Errors: `StoreCorrupt` for a file
/// that is no store of ours, `StoreNewerVersion`, `StoreUnavailable` when the disk cannot be synced as rule
/// S4 wants. Changes nothing in a file that is not ours.
[[nodiscard]] Result<StoreLabel> prepare_database(sqlite3* database);

/// For a store that was read as a whole: its log is emptied when the last one closes it.
void checkpoint_at_close(sqlite3* database);

/// Makes the tables in an empty file, in one transaction together with what `fill` writes.
[[nodiscard]] Result<void> make_database(sqlite3* database, const StoreLabel& label,
                                         const std::function<Result<void>(sqlite3*)>& fill);

[[nodiscard]] Result<void> execute(sqlite3* database, const char* sql);

}  // namespace keyturn::sdk

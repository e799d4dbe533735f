// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <string_view>

#include <keyturn/base/result.hpp>

namespace keyturn::sdk {

/// Sets the connection up, and makes the tables in an empty file. Errors: `StoreCorrupt` for a file that is
/// no store of ours, `StoreNewerVersion`, `StoreUnavailable` when the disk cannot be synced as rule S4 wants.
[[nodiscard]] Result<void> prepare_database(sqlite3* database);

/// The number under which this app's users are kept, made at the first look.
[[nodiscard]] Result<std::int64_t> app_number(sqlite3* database, std::string_view app_id,
                                              std::string_view base_url);

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <keyturn/base/result.hpp>

#include "sdk/token_store/record_codec.hpp"
#include "sdk/token_store/sqlite/store_seal.hpp"

namespace keyturn::sdk {

/// Reads and opens all records at one moment of the database. Errors: `StoreCorrupt` when one is missing, was
/// changed, or belongs elsewhere; those of SQLite.
[[nodiscard]] Result<BookHead> read_sealed_book(sqlite3* database, const StoreSeal& seal);

/// Writes the head, and the users that were touched. Inside a transaction of the caller's.
[[nodiscard]] Result<void> write_sealed_book(sqlite3* database, const StoreSeal& seal, BookHead& head);

/// The version alone, without opening anything.
[[nodiscard]] Result<std::int64_t> read_version(sqlite3* database);

}  // namespace keyturn::sdk

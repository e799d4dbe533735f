// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/sqlite_stores.hpp"

#include "server/storage/sqlite/test_folder.hpp"

namespace {

using keyturn::server::conformance::FixtureOf;
using keyturn::server::conformance::StoreFixture;
using keyturn::server::sqlite::open_in;
using keyturn::server::sqlite::SqliteStores;
using keyturn::server::sqlite::TestFolder;

class SqliteFixture : private TestFolder, public FixtureOf<SqliteStores> {
 public:
  explicit SqliteFixture(std::size_t cached_sessions) : FixtureOf(open_in(*this, cached_sessions)) {}
};

std::unique_ptr<StoreFixture> open_sqlite() { return std::make_unique<SqliteFixture>(10'000); }
/// Sessions are evicted all the time, and most look-ups go to the file.
std::unique_ptr<StoreFixture> open_with_tiny_cache() { return std::make_unique<SqliteFixture>(1); }

}  // namespace

INSTANTIATE_STORE_CONFORMANCE(Sqlite, open_sqlite);
INSTANTIATE_STORE_CONFORMANCE(SqliteWithTinyCache, open_with_tiny_cache);

// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/sqlite_stores.hpp"

#include "core/crypto/crypto.hpp"
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {

Result<std::unique_ptr<SqliteStores>> SqliteStores::open(const SqliteOptions& options) {
  Result<std::unique_ptr<Database>> database = Database::open(options);
  if (!database) return database.error();
  return std::unique_ptr<SqliteStores>(
      new SqliteStores(std::move(*database), options.clock != nullptr ? *options.clock : system_clock()));
}

SqliteStores::SqliteStores(std::unique_ptr<Database> database, Clock& clock)
    : database_(std::move(database)),
      sessions_(make_session_store(*database_)),
      users_(make_user_store(*database_)),
      passwords_(make_password_store(*database_)),
      api_keys_(make_api_key_store(*database_)),
      apps_(make_app_store(*database_)),
      documents_(make_document_store(
          *database_, {clock, [](std::size_t count) { return crypto::random_bytes(count); }})) {}

SqliteStores::~SqliteStores() = default;

Result<int> SqliteStores::end_every_session(EndReason reason, WallTime now) {
  return database_->write([&](WriteStep& step) {
    step.sql.run("UPDATE users SET generation = generation + 1");
    step.all_sessions_changed = true;
    return static_cast<int>(step.sql.run(
        "UPDATE sessions SET ended = ?1, reason = ?2, over = min(refresh_expires, ?1) WHERE ended IS NULL",
        now, to_string(reason)));
  });
}

}  // namespace keyturn::server::sqlite

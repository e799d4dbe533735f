// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

#include <functional>
#include <mutex>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/schema.hpp"
#include "sdk/token_store/sqlite/statement.hpp"
#include "sdk/token_store/sqlite/store_folder.hpp"

namespace keyturn::sdk {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

constexpr const char* kSelectUser =
    "SELECT user_id, logged_in, access_token, refresh_token, device_id, provider_type, profile_json, "
    "identities_json, generation, "
    "boot_id, received_boot, received_server_time, received_wall, end_reason, recency FROM user WHERE app = "
    "?1 "
    "AND (?2 = '' OR user_id = ?2) ORDER BY recency DESC";

std::int64_t ticks(BootTime time) { return time.time_since_epoch().count(); }
std::int64_t ticks(WallTime time) { return time.time_since_epoch().count(); }

StoredUser read_user(const Statement& row) {
  StoredUser user;
  user.user_id = row.text(0);
  user.logged_in = row.integer(1) != 0;
  user.access_token = row.secret(2);
  user.refresh_token = row.secret(3);
  user.device_id = row.text(4);
  user.provider_type = row.text(5);
  user.profile_json = row.text(6);
  user.identities_json = row.text(7);
  user.generation = row.integer(8);
  user.boot_id = row.text(9);
  user.received_boot = BootTime(BootClock::duration(row.integer(10)));
  user.received_server_time = WallTime(WallTime::duration(row.integer(11)));
  user.received_wall = WallTime(WallTime::duration(row.integer(12)));
  user.end_reason = end_reason_from(row.view(13));
  user.order = row.integer(14);
  return user;
}

class SqliteTokenStore final : public TokenStore {
 public:
  SqliteTokenStore(StoreFolder folder, Database database, std::int64_t app, std::string lock_prefix)
      : folder_(std::move(folder)),
        database_(std::move(database)),
        app_(app),
        lock_prefix_(std::move(lock_prefix)) {}

  Result<std::vector<StoredUser>> load() override {
    const std::scoped_lock lock(mutex_);
    std::vector<StoredUser> out;
    Statement rows(database_.get(), kSelectUser, app_, std::string_view());
    while (rows.row()) out.push_back(read_user(rows));
    if (rows.code() != SQLITE_OK) return store_error(rows.code());
    return out;
  }

  Result<std::optional<StoredUser>> load_user(std::string_view user_id) override {
    const std::scoped_lock lock(mutex_);
    Statement rows(database_.get(), kSelectUser, app_, user_id);
    std::optional<StoredUser> out;
    if (!user_id.empty() && rows.row()) out = read_user(rows);
    if (rows.code() != SQLITE_OK) return store_error(rows.code());
    return out;
  }

  Result<std::int64_t> put(const StoredUser& user, bool make_current) override {
    std::int64_t generation = 0;
    auto done = step([&] {
      generation = next_generation();
      run("INSERT OR REPLACE INTO user(app, user_id, logged_in, access_token, refresh_token, device_id, "
          "provider_type, profile_json, "
          "identities_json, generation, boot_id, received_boot, received_server_time, received_wall, "
          "end_reason, recency) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, '', "
          "(SELECT 1 + coalesce(max(recency), 0) FROM user WHERE app = ?1))",
          app_, user.user_id, flag(user.logged_in), user.access_token, user.refresh_token, user.device_id,
          user.provider_type, user.profile_json, user.identities_json, generation, user.boot_id,
          ticks(user.received_boot), ticks(user.received_server_time), ticks(user.received_wall));
      if (make_current) run("UPDATE app SET current_user_id = ?2 WHERE number = ?1", app_, user.user_id);
    });
    if (!done) return done.error();
    return generation;
  }

  Result<ReplaceOutcome> replace(const StoredUser& user) override {
    int changed = 0;
    auto done = step([&] { changed = update(user, user.generation); });
    if (!done) return done.error();
    return changed == 0 ? ReplaceOutcome::generation_changed : ReplaceOutcome::replaced;
  }

  Result<std::optional<std::int64_t>> renew(const StoredUser& user) override {
    std::int64_t generation = 0;
    int changed = 0;
    auto done = step([&] {
      generation = next_generation();
      changed = update(user, generation);
    });
    if (!done) return done.error();
    return changed == 0 ? std::nullopt : std::optional<std::int64_t>(generation);
  }

  Result<ReplaceOutcome> clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                                      std::optional<std::int64_t> only_generation) override {
    bool matches = false;
    auto done = step([&] {
      {
        Statement found(database_.get(), "SELECT generation FROM user WHERE app = ?1 AND user_id = ?2", app_,
                        user_id);
        matches = found.row() && (!only_generation || *only_generation == found.integer(0));
        keep(found.code());
      }
      if (!matches) return;
      if (queue_revocation) queue(user_id);
      const std::int64_t generation = next_generation();
      run("UPDATE user SET logged_in = 0, access_token = x'', refresh_token = x'', end_reason = ?3, "
          "generation = ?4 "
          "WHERE app = ?1 AND user_id = ?2",
          app_, user_id, to_string(reason), generation);
    });
    if (!done) return done.error();
    if (matches) forget_old_pages();
    return matches ? ReplaceOutcome::replaced : ReplaceOutcome::generation_changed;
  }

  Result<void> remove(std::string_view user_id, bool queue_revocation) override {
    auto done = step([&] {
      if (queue_revocation) queue(user_id);
      run("DELETE FROM user WHERE app = ?1 AND user_id = ?2", app_, user_id);
      run("UPDATE app SET current_user_id = '' WHERE number = ?1 AND current_user_id = ?2", app_, user_id);
    });
    if (done) forget_old_pages();
    return done;
  }

  Result<void> set_current(std::string_view user_id) override {
    return step([&] {
      run("UPDATE app SET current_user_id = ?2 WHERE number = ?1", app_, user_id);
      run("UPDATE user SET recency = (SELECT 1 + max(recency) FROM user WHERE app = ?1) WHERE app = ?1 AND "
          "user_id = ?2",
          app_, user_id);
    });
  }

  Result<std::optional<std::string>> current() override {
    const std::scoped_lock lock(mutex_);
    Statement found(database_.get(), "SELECT current_user_id FROM app WHERE number = ?1", app_);
    std::string id = found.row() ? found.text(0) : std::string();
    if (found.code() != SQLITE_OK) return store_error(found.code());
    return id.empty() ? std::nullopt : std::optional<std::string>(std::move(id));
  }

  Result<std::vector<PendingLogOut>> outbox() override {
    const std::scoped_lock lock(mutex_);
    std::vector<PendingLogOut> out;
    Statement rows(database_.get(),
                   "SELECT id, user_id, refresh_token FROM outbox WHERE app = ?1 ORDER BY id", app_);
    while (rows.row()) out.push_back({rows.integer(0), rows.text(1), rows.secret(2)});
    if (rows.code() != SQLITE_OK) return store_error(rows.code());
    return out;
  }

  Result<void> delivered(std::int64_t outbox_id) override {
    auto done = step([&] { run("DELETE FROM outbox WHERE app = ?1 AND id = ?2", app_, outbox_id); });
    if (done) forget_old_pages();
    return done;
  }

  Result<std::int64_t> version() override {
    const std::scoped_lock lock(mutex_);
    Statement found(database_.get(), "SELECT version FROM app WHERE number = ?1", app_);
    const std::int64_t version = found.row() ? found.integer(0) : 0;
    if (found.code() != SQLITE_OK) return store_error(found.code());
    return version;
  }

  Result<std::unique_ptr<StoreLock>> try_lock(std::string_view user_id) override {
    const std::string name =
        crypto::hex_encode(crypto::sha256(lock_prefix_ + std::string(user_id))).substr(0, 32) + ".lock";
    return folder_.try_lock(name);
  }

 private:
  static std::int64_t flag(bool value) { return value ? 1 : 0; }

  /// Runs `body` as one durable transaction that also moves the version on; a fault undoes all of it.
  Result<void> step(const std::function<void()>& body) {
    const std::scoped_lock lock(mutex_);
    code_ = SQLITE_OK;
    run("BEGIN IMMEDIATE");
    if (code_ != SQLITE_OK) return store_error(code_);
    body();
    run("UPDATE app SET version = version + 1 WHERE number = ?1", app_);
    run("COMMIT");
    if (code_ == SQLITE_OK) return {};
    const int fault = code_;
    if (sqlite3_get_autocommit(database_.get()) == 0) (void)Statement(database_.get(), "ROLLBACK").run();
    return store_error(fault);
  }

  void keep(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }
  template <class... Args>
  void run(const char* sql, const Args&... args) {
    if (code_ == SQLITE_OK) code_ = Statement(database_.get(), sql, args...).run();
  }

  std::int64_t next_generation() {
    run("UPDATE app SET next_generation = next_generation + 1 WHERE number = ?1", app_);
    Statement found(database_.get(), "SELECT next_generation - 1 FROM app WHERE number = ?1", app_);
    const std::int64_t value = found.row() ? found.integer(0) : 0;
    keep(found.code());
    return value;
  }

  int update(const StoredUser& user, std::int64_t new_generation) {
    run("UPDATE user SET logged_in = ?3, access_token = ?4, refresh_token = ?5, device_id = ?6, "
        "provider_type = ?7, profile_json = ?8, "
        "identities_json = ?9, boot_id = ?10, received_boot = ?11, received_server_time = ?12, received_wall "
        "= ?13, end_reason = ?14, "
        "generation = ?15 WHERE app = ?1 AND user_id = ?2 AND generation = ?16",
        app_, user.user_id, flag(user.logged_in), user.access_token, user.refresh_token, user.device_id,
        user.provider_type, user.profile_json, user.identities_json, user.boot_id, ticks(user.received_boot),
        ticks(user.received_server_time), ticks(user.received_wall), to_string(user.end_reason),
        new_generation, user.generation);
    return sqlite3_changes(database_.get());
  }

  void queue(std::string_view user_id) {
    run("INSERT INTO outbox(app, user_id, refresh_token) SELECT app, user_id, refresh_token FROM user "
        "WHERE app = ?1 AND user_id = ?2 AND length(refresh_token) > 0",
        app_, user_id);
  }

  /// The log still holds the pages with the tokens as they were: empties it, unless somebody reads just now
  /// (then the next change or the last one to close does).
  void forget_old_pages() {
    const std::scoped_lock lock(mutex_);
    (void)Statement(database_.get(), "PRAGMA wal_checkpoint(TRUNCATE)").run();
  }

  const StoreFolder folder_;
  std::mutex mutex_;  // a leaf: SQLite is the only thing called under it
  const Database database_;
  const std::int64_t app_;
  const std::string lock_prefix_;
  int code_ = SQLITE_OK;  // of the step under way
};

}  // namespace

Result<std::unique_ptr<TokenStore>> open_sqlite_token_store(const SqliteTokenStoreOptions& options) {
  auto folder = StoreFolder::open(options.directory);
  if (!folder) return folder.error();
  const auto file = folder->private_file("keyturn.db");
  if (!file) return file.error();
  sqlite3* opened = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file->c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) return store_error(code);
  sqlite3_busy_timeout(database.get(), static_cast<int>(options.busy_timeout.count()));
  if (auto prepared = prepare_database(database.get()); !prepared) return prepared.error();
  const auto app = app_number(database.get(), options.app_id, options.base_url);
  if (!app) return app.error();
  return std::unique_ptr<TokenStore>(std::make_unique<SqliteTokenStore>(
      std::move(*folder), std::move(database), *app, options.app_id + "\n" + options.base_url + "\n"));
}

}  // namespace keyturn::sdk

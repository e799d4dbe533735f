// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

#include <chrono>
#include <mutex>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/change_watch.hpp"
#include "sdk/token_store/sqlite/store_file.hpp"

namespace keyturn::sdk {
namespace {

class SqliteTokenStore final : public TokenStore {
 public:
  SqliteTokenStore(StoreFile file, StoreConnection connection, std::chrono::milliseconds long_wait,
                   std::chrono::milliseconds step_wait)
      : file_(std::move(file)),
        connection_(std::move(connection)),
        watch_(file_.folder().path_of(file_.guard_name())),
        long_wait_(long_wait),
        step_wait_(step_wait) {
    wait_at_most(step_wait_);
  }

  Result<std::vector<StoredUser>> load() override {
    return look([](const TokenBook& book) { return book.list(); });
  }

  Result<std::optional<StoredUser>> load_user(std::string_view user_id) override {
    return look([&](const TokenBook& book) {
      const StoredUser* const user = book.find(user_id);
      return user == nullptr ? std::optional<StoredUser>() : std::optional(user->copy());
    });
  }

  Result<std::int64_t> put(const StoredUser& user, bool make_current) override {
    return step([&](TokenBook& book) { return book.put(user, make_current); });
  }

  Result<ReplaceOutcome> update(const StoredUser& user, UserPart part) override {
    return step([&](TokenBook& book) { return book.update(user, part); });
  }

  Result<std::optional<std::int64_t>> renew(const StoredUser& user) override {
    return step([&](TokenBook& book) { return book.renew(user); });
  }

  Result<ReplaceOutcome> clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                                      std::optional<std::int64_t> only_generation) override {
    return step(
        [&](TokenBook& book) {
          return book.clear_tokens(user_id, reason, queue_revocation, only_generation);
        },
        After::forget);
  }

  Result<void> remove(std::string_view user_id, bool queue_revocation) override {
    return nothing(step(
        [&](TokenBook& book) {
          book.remove(user_id, queue_revocation);
          return true;
        },
        After::forget));
  }

  Result<void> set_current(std::string_view user_id) override {
    return nothing(step([&](TokenBook& book) {
      book.set_current(user_id);
      return true;
    }));
  }

  Result<std::optional<std::string>> current() override {
    return look([](const TokenBook& book) {
      return book.current.empty() ? std::optional<std::string>() : std::optional(book.current);
    });
  }

  Result<std::vector<PendingLogOut>> outbox() override {
    return look([](const TokenBook& book) {
      std::vector<PendingLogOut> out;
      for (const PendingLogOut& entry : book.outbox)
        out.push_back({entry.id, entry.user_id, entry.refresh_token.copy()});
      return out;
    });
  }

  Result<void> delivered(std::int64_t outbox_id) override {
    return nothing(step(
        [&](TokenBook& book) {
          book.delivered(outbox_id);
          return true;
        },
        After::forget));
  }

  Result<std::int64_t> version() override {
    const std::scoped_lock lock(mutex_);
    if (auto here = stay_connected(); !here) return here.error();
    return read_version(connection_.database.get());
  }

  int changes() override { return watch_.descriptor(); }
  [[nodiscard]] bool tells_changes() const override { return true; }
  void changes_seen() override { watch_.drain(); }

  void closing() override {
    const std::scoped_lock lock(mutex_);
    step_wait_ = long_wait_;
    wait_at_most(step_wait_);
  }

  Result<std::unique_ptr<StoreLock>> try_lock(std::string_view user_id) override {
    const std::string name =
        crypto::hex_encode(crypto::sha256(file_.name() + "\n" + std::string(user_id))).substr(0, 32) +
        ".lock";
    return file_.folder().try_lock(name);
  }

 private:
  enum class After { keep, forget };

  static Result<void> nothing(const Result<bool>& done) {
    return done ? Result<void>() : Result<void>(done.error());
  }

  /// For the database's lock.
  void wait_at_most(std::chrono::milliseconds wait) {
    if (connection_.database)
      sqlite3_busy_timeout(connection_.database.get(), static_cast<int>(wait.count()));
  }

  /// Another process may have recovered the store into a new file.
  Result<void> stay_connected() {
    if (connection_.database != nullptr && !file_.replaced(connection_)) return {};
    return reconnect();
  }

  Result<void> reconnect() {
    // Files that were deleted, or exchanged, can be read as long as they are open.
    StoreConnection before = file_.replaced(connection_) ? std::move(connection_) : StoreConnection{};
    connection_ = {};
    auto made = file_.connect();
    if (!made) {
      connection_ = std::move(before);
      return made.error();
    }
    connection_ = std::move(*made);
    wait_at_most(step_wait_);
    if (before.database == nullptr || before.seal->store_id() == connection_.seal->store_id()) return {};
    if (auto done = take_over(before); !done) {
      connection_ = std::move(before);
      return done;
    }
    return {};
  }

  /// A new store in the place of the one that this process works with says nothing about its sessions: they
  /// go on in the new one.
  Result<void> take_over(const StoreConnection& before) {
    const auto held = read_sealed_book(before.database.get(), *before.seal);
    if (!held)
      return Error(ErrorCode::StoreUnavailable,
                   "the files of the token store were deleted while it was in use; restart the app");
    const auto step = [&held](TokenBook& book) {
      book.take_over(held->book);
      return true;
    };
    if (auto done = one_step(step, After::keep); !done) return done.error();
    file_.log("store: its files were deleted while it was in use; what they held is in the new ones");
    return {};
  }

  /// Damage is met once with a new connection, which recovers what can be.
  template <class Attempt>
  auto twice(Attempt attempt) -> decltype(attempt()) {
    const std::scoped_lock lock(mutex_);
    if (auto here = stay_connected(); !here) return here.error();
    auto first = attempt();
    if (first || first.error().code != ErrorCode::StoreCorrupt || !reconnect()) return first;
    return attempt();
  }

  template <class Look>
  auto look(Look what) -> Result<decltype(what(std::declval<const TokenBook&>()))> {
    return twice([&]() -> Result<decltype(what(std::declval<const TokenBook&>()))> {
      const auto head = read_sealed_book(connection_.database.get(), *connection_.seal);
      if (!head) return head.error();
      return what(head->book);
    });
  }

  /// Runs `body` as one durable transaction; a fault undoes all of it.
  template <class Body>
  auto step(Body body, After after = After::keep) -> Result<decltype(body(std::declval<TokenBook&>()))> {
    return twice([&] { return one_step(body, after); });
  }

  template <class Body>
  auto one_step(const Body& body, After after) -> Result<decltype(body(std::declval<TokenBook&>()))> {
    const auto guard = file_.guard(step_wait_);
    if (!guard) return guard.error();
    // Under the guard nobody exchanges the file any more.
    if (file_.replaced(connection_))
      return Error(ErrorCode::StoreCorrupt, "the token store was exchanged meanwhile");
    sqlite3* const database = connection_.database.get();
    Transaction change(database);
    if (auto begun = change.begin(); !begun) return begun.error();
    auto head = read_sealed_book(database, *connection_.seal);
    if (!head) return head.error();
    const std::int64_t before = head->book.version;
    auto answer = body(head->book);
    if (head->book.version == before) return answer;
    const bool milestone = head->book.milestone == head->book.version;
    if (auto written = write_sealed_book(database, *connection_.seal, *head); !written)
      return written.error();
    if (auto done = change.commit(); !done) return done.error();
    if (milestone) {
      // Not lightly given up: the copy may hold what a log-out took away. Who came in between will be through
      // in a moment.
      wait_at_most(long_wait_);
      file_.keep_copy(connection_, after == After::forget);
      wait_at_most(step_wait_);
    }
    // The log still holds the records as they were: empties it, unless somebody reads just now (then the next
    // change or the last one to close does).
    if (milestone && after == After::forget) (void)execute(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    return answer;
  }

  std::mutex mutex_;  // a leaf: SQLite and the files are the only things called under it
  const StoreFile file_;
  StoreConnection connection_;
  ChangeWatch watch_;
  const std::chrono::milliseconds long_wait_;
  std::chrono::milliseconds step_wait_;
};

Error no_keys() { return {ErrorCode::InvalidConfiguration, "the token store has no source of its key"}; }

StoreFile file_in(StoreFolder folder, const SqliteTokenStoreOptions& options) {
  return {std::move(folder), options.app_id,       options.base_url,
          options.keys,      options.busy_timeout, options.log};
}

}  // namespace

Result<std::unique_ptr<TokenStore>> open_sqlite_token_store(const SqliteTokenStoreOptions& options) {
  if (!options.keys) return no_keys();
  auto folder = StoreFolder::open(options.directory);
  if (!folder) return folder.error();
  StoreFile file = file_in(std::move(*folder), options);
  auto connection = file.connect();
  if (!connection) return connection.error();
  return std::unique_ptr<TokenStore>(std::make_unique<SqliteTokenStore>(
      std::move(file), std::move(*connection), options.busy_timeout, options.step_wait));
}

Result<std::optional<TokenBook>> read_sqlite_token_store(const SqliteTokenStoreOptions& options) {
  if (!options.keys) return no_keys();
  auto folder = StoreFolder::find(options.directory);
  if (!folder) return folder.error();
  if (!*folder) return std::optional<TokenBook>();
  return file_in(std::move(**folder), options).look();
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/store_file.hpp"

#include <utility>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/statement.hpp"

namespace keyturn::sdk {
namespace {

/// Puts a recovered store's version beyond any that was seen of the one it replaces.
constexpr std::int64_t kRecoveryStep = std::int64_t{1} << 20;
constexpr std::size_t kLargestCopy = std::size_t{64} * 1024 * 1024;
constexpr const char* kUnsealed = "keyturn.db";

Error key_missing() {
  return {ErrorCode::StoreKeyUnavailable,
          "the key of the token store is not where it is kept; the store was left as it is"};
}
Error key_wrong() {
  return {ErrorCode::StoreKeyUnavailable,
          "the token store was sealed with another key than the one given; it was left as it is"};
}

void touch_all(TokenBook& book) {
  for (const auto& [id, user] : book.users) book.touched.insert(id);
}

/// The copy's book, when the bytes are a copy that this seal opens.
std::optional<TokenBook> open_copy(const StoreSeal& seal, const std::optional<Secret>& bytes) {
  if (!bytes) return std::nullopt;
  const auto header = read_good_copy_header(bytes->reveal());
  if (!header || header->store_id != seal.store_id()) return std::nullopt;
  return open_good_copy(seal, *header);
}

}  // namespace

struct StoreFile::Opened {
  Result<StoreConnection> result;
  bool maybe_recovered = false;  // the copy may know better
};

StoreFile::StoreFile(StoreFolder folder, std::string_view app_id, std::string_view base_url,
                     std::shared_ptr<KeySource> keys, std::chrono::milliseconds wait,
                     std::function<void(std::string_view)> log)
    : folder_(std::move(folder)),
      app_id_(app_id),
      base_url_(base_url),
      name_("keyturn-" + crypto::hex_encode(crypto::sha256(app_id_ + "\n" + base_url_)).substr(0, 16) +
            ".db"),
      keys_(std::move(keys)),
      wait_(wait),
      log_(std::move(log)) {}

bool StoreFile::replaced(const StoreConnection& connection) const {
  return folder_.identity(name_) != connection.identity;
}

Result<std::unique_ptr<StoreLock>> StoreFile::guard(std::chrono::milliseconds wait) const {
  return hold_guard(StoreFolder::Hold::shared, wait);
}

Result<std::unique_ptr<StoreLock>> StoreFile::hold_guard(StoreFolder::Hold hold,
                                                         std::chrono::milliseconds wait) const {
  auto held = folder_.lock(guard_name(), hold, wait);
  if (held && *held == nullptr)
    return Error(ErrorCode::StoreLocked, "the token store is being recovered by another process");
  return held;
}

StoreFile::Opened StoreFile::open_guarded(Access access) const {
  const std::uint64_t identity = folder_.identity(name_);
  if (identity == 0) return {Error(ErrorCode::StoreCorrupt, "the token store's file has gone"), true};
  if (auto checked = folder_.check_private(name_); !checked) return {checked.error(), false};
  auto database = open_database(folder_.path_of(name_), static_cast<int>(wait_.count()), access);
  if (!database) return {database.error(), database.error().code == ErrorCode::StoreCorrupt};
  const auto label = prepare_database(database->get(), access);
  if (!label) return {label.error(), label.error().code == ErrorCode::StoreCorrupt};
  auto key = keys_->find(crypto::hex_encode(label->store_id));
  if (!key) return {key.error(), false};
  if (!*key) return {key_missing(), true};
  auto seal = std::make_shared<const StoreSeal>(**key, label->store_id, app_id_, base_url_);
  if (seal->key_check() != label->key_check) return {key_wrong(), true};
  return {StoreConnection{std::move(*database), std::move(seal), identity}, false};
}

StoreFile::Opened StoreFile::try_open() const {
  const auto held = guard(wait_);
  if (!held) return {held.error(), false};
  Opened opened = open_guarded(Access::change);
  if (!opened.result) return opened;
  if (auto settled = settle(*opened.result); !settled)
    return {settled.error(), settled.error().code == ErrorCode::StoreCorrupt};
  checkpoint_at_close(opened.result->database.get());
  return opened;
}

Result<std::optional<TokenBook>> StoreFile::look() const {
  if (!folder_.has(name_) || !folder_.has(guard_name())) return std::optional<TokenBook>();
  const auto held = hold_guard(StoreFolder::Hold::to_look, wait_);
  if (!held) return held.error();
  const Opened opened = open_guarded(Access::look);
  if (!opened.result) return opened.result.error();
  auto seen = read_sealed_book(opened.result->database.get(), *opened.result->seal);
  if (!seen) return seen.error();
  // A copy that says it knows more: whether that is true, and what of it, is for `settle` to find out.
  const auto bytes = folder_.read_beginning(copy_name(), kGoodCopyHeaderSize);
  const auto copy = bytes && *bytes ? read_good_copy_header((*bytes)->reveal()) : std::nullopt;
  if (copy && copy->store_id == opened.result->seal->store_id() && copy->version > seen->book.version)
    return std::optional<TokenBook>();
  return std::optional(std::move(seen->book));
}

Result<StoreConnection> StoreFile::connect() const {
  Opened opened = try_open();
  if (opened.result || !opened.maybe_recovered) return std::move(opened.result);
  {
    const auto alone = folder_.lock(guard_name(), StoreFolder::Hold::alone, wait_);
    if (!alone) return alone.error();
    if (*alone == nullptr) {
      if (folder_.has(name_)) return opened.result.error();
      return Error(ErrorCode::StoreLocked, "the token store is being made by another process");
    }
    // Another process may have been first; and a file without a copy beside it can only be reported.
    if (!folder_.has(name_) && !folder_.has(copy_name())) {
      if (auto made = make(); !made) return made;
    } else if (auto done = recover(opened.result.error()); !done) {
      return done;
    }
  }
  return std::move(try_open().result);
}

Result<StoreConnection> StoreFile::make() const {
  if (folder_.has(kUnsealed))
    return Error(
        ErrorCode::StoreCorrupt,
        "the folder holds keyturn.db, a token store of an older format that is not sealed and not read; "
        "it was left as it is: move it away to begin a new one");
  const std::string store_id = new_store_id();
  const auto key = keys_->find_or_make(crypto::hex_encode(store_id));
  if (!key) return key.error();
  const StoreSeal seal(*key, store_id, app_id_, base_url_);
  // The log of a store that is gone would be taken for the new one's.
  if (folder_.has(name_ + "-wal") || folder_.has(name_ + "-shm")) {
    if (auto aside = set_aside(name_); !aside) return aside.error();
  }
  if (auto built = build(seal, TokenBook()); !built) return built.error();
  return StoreConnection{};
}

Result<StoreConnection> StoreFile::recover(const Error& damage) const {
  const auto bytes = folder_.read(copy_name(), kLargestCopy);
  if (!bytes) return damage;
  if (*bytes && is_good_copy_of_later_version((*bytes)->reveal())) return newer_version();
  const auto header = *bytes ? read_good_copy_header((*bytes)->reveal()) : std::nullopt;
  if (!header) return damage;
  const auto key = keys_->find(crypto::hex_encode(header->store_id));
  if (!key || !*key) return damage;
  const StoreSeal seal(**key, header->store_id, app_id_, base_url_);
  auto book = open_good_copy(seal, *header);
  if (seal.key_check() != header->key_check || !book) return damage;
  {
    // What stands in the way may have been recovered meanwhile.
    auto database = open_database(folder_.path_of(name_), static_cast<int>(wait_.count()));
    const auto label = database ? prepare_database(database->get()) : Result<StoreLabel>(database.error());
    if (label && label->store_id == seal.store_id() && label->key_check == seal.key_check() &&
        read_sealed_book(database->get(), seal))
      return StoreConnection{};
    const bool readable = label || label.error().code == ErrorCode::StoreCorrupt || !folder_.has(name_);
    if (!readable) return label.error();
  }
  // The log first: without its database it means nothing, beside a new database it would be taken for its
  // log.
  if (auto aside = set_aside(name_); !aside) return aside.error();
  book->version += kRecoveryStep;
  book->milestone = book->version;
  if (auto built = build(seal, std::move(*book)); !built) return built.error();
  log("store recovered from the copy of the last good store; the damaged file was set aside");
  return StoreConnection{};
}

Result<void> StoreFile::set_aside(std::string_view name) const {
  for (int number = 1; number < 100; ++number) {
    const std::string label = std::string(name) + ".damaged-" + std::to_string(number);
    if (folder_.has(label) || folder_.has(label + "-wal") || folder_.has(label + "-shm")) continue;
    for (const char* const suffix : {"-shm", "-wal", ""}) {
      if (auto moved = folder_.rename(std::string(name) + suffix, label + suffix); !moved)
        return moved.error();
    }
    if (!folder_.has(name)) return {};
  }
  return Error(ErrorCode::StoreCorrupt, "the token store is damaged and could not be set aside");
}

Result<void> StoreFile::build(const StoreSeal& seal, TokenBook book) const {
  const std::string unfinished = name_ + ".new";
  for (const char* const suffix : {"-wal", "-shm", "-journal", ""}) {
    if (auto erased = folder_.erase(unfinished + suffix); !erased) return erased;
  }
  const auto file = folder_.private_file(unfinished);
  if (!file) return file.error();
  touch_all(book);
  BookHead head{std::move(book), {}};
  {
    const auto database = open_database(*file, static_cast<int>(wait_.count()));
    if (!database) return database.error();
    auto made = make_database(database->get(), {seal.store_id(), seal.key_check()},
                              [&](sqlite3* empty) { return write_sealed_book(empty, seal, head); });
    if (!made) return made;
    checkpoint_at_close(database->get());
    int keep = 0;
    sqlite3_file_control(database->get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  }
  {
    // Not every fault on the way is told of: what gets the name must be whole.
    const auto database = open_database(*file, static_cast<int>(wait_.count()));
    if (!database) return database.error();
    const auto label = prepare_database(database->get());
    const auto whole = label ? read_sealed_book(database->get(), seal) : Result<BookHead>(label.error());
    if (!whole) return Error(ErrorCode::StoreUnavailable, "a new token store cannot be written");
    int keep = 0;
    checkpoint_at_close(database->get());
    sqlite3_file_control(database->get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  }
  const auto published = folder_.publish(unfinished, name_);
  if (!published) return published.error();
  return {};
}

Result<void> StoreFile::settle(const StoreConnection& connection) const {
  sqlite3* const database = connection.database.get();
  const auto seen = read_sealed_book(database, *connection.seal);
  if (!seen) return seen.error();
  const auto bytes = folder_.read(copy_name(), kLargestCopy);
  if (!bytes) return {};  // the copy is a help, not a condition
  const auto copy = open_copy(*connection.seal, *bytes);
  const std::int64_t copied = copy ? copy->version : 0;
  if (seen->book.milestone > copied) keep_copy(connection, false);
  if (seen->book.version >= copied) return {};
  // The end of the log was lost, and with it steps that had been told of as done.
  Transaction change(database);
  if (auto begun = change.begin(); !begun) return begun;
  auto head = read_sealed_book(database, *connection.seal);
  Result<void> done = head ? Result<void>() : Result<void>(head.error());
  if (head && head->book.version < copied) {
    TokenBook book = copy->copy();
    touch_all(head->book);
    book.touched = std::move(head->book.touched);
    touch_all(book);
    book.version += kRecoveryStep;
    book.milestone = book.version;
    head->book = std::move(book);
    done = write_sealed_book(database, *connection.seal, *head);
  }
  if (done) done = change.commit();
  if (!done) return done;
  log("store had lost its last steps; they were taken from the copy of the last good store");
  keep_copy(connection, false);
  return {};
}

void StoreFile::keep_copy(const StoreConnection& connection, bool forget) const {
  sqlite3* const database = connection.database.get();
  // The database's own lock puts writers of the copy in a row.
  Transaction change(database);
  if (!change.begin()) return;
  const auto head = read_sealed_book(database, *connection.seal);
  bool kept = false;
  if (head) {
    const auto bytes = folder_.read(copy_name(), kLargestCopy);
    const auto old = bytes ? open_copy(*connection.seal, *bytes) : std::nullopt;
    kept = old && old->version >= head->book.version;
    if (!kept && bytes && *bytes && !old) (void)set_aside(copy_name());
    if (!kept) kept = folder_.replace(copy_name(), write_good_copy(*connection.seal, head->book)).has_value();
    if (!kept && forget && old && old->version < head->book.milestone) (void)folder_.erase(copy_name());
  }
  change.undo();
  if (!kept) log("store: the copy of the last good store could not be written");
}

}  // namespace keyturn::sdk

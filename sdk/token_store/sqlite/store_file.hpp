// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sdk/token_store/key_source/key_source.hpp"
#include "sdk/token_store/sqlite/schema.hpp"
#include "sdk/token_store/sqlite/sealed_book.hpp"
#include "sdk/token_store/store_folder.hpp"

namespace keyturn::sdk {

/// An open store file with the key that opens its records.
struct StoreConnection {
  Database database;
  std::shared_ptr<const StoreSeal> seal;
  std::uint64_t identity = 0;  ///< Of the file; another process may have put a recovered one in its place.
};

/// The files of one app's store: the database, the copy of the last good store, and the guard, a lock file
/// that each change holds shared and each recovery alone. What is damaged is set aside under another name,
/// never deleted.
///
/// Thread safety: none of its own; every member may wait for other processes, at most `wait` unless it says
/// else.
class StoreFile {
 public:
  StoreFile(StoreFolder folder, std::string_view app_id, std::string_view base_url,
            std::shared_ptr<KeySource> keys, std::chrono::milliseconds wait,
            std::function<void(std::string_view)> log);

  /// Opens the store; makes it when there is none; recovers it from the copy when it is damaged. Errors:
  /// those of the port, with the state that the store is in.
  [[nodiscard]] Result<StoreConnection> connect() const;
  /// What is kept, for who only reads: nothing is made, changed or recovered, and nobody who watches is
  /// woken. Nothing: there is no store, or one that `connect` would bring up to date first. Errors: as
  /// `connect` meets them before it recovers.
  [[nodiscard]] Result<std::optional<TokenBook>> look() const;
  /// Whether the file of that name is another one by now.
  [[nodiscard]] bool replaced(const StoreConnection& connection) const;
  /// To be held during a change, waited for at most so long. Closing it tells other processes (`changes`).
  /// Errors: `StoreLocked`.
  [[nodiscard]] Result<std::unique_ptr<StoreLock>> guard(std::chrono::milliseconds wait) const;
  /// Brings the copy up to date, after waiting as long as the connection does. That it cannot be written is
  /// no fault of the change before it: the next one tries again. With `forget` a copy that cannot be replaced
  /// is emptied, as it holds what a log-out took away.
  void keep_copy(const StoreConnection& connection, bool forget) const;

  [[nodiscard]] const StoreFolder& folder() const { return folder_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string guard_name() const { return name_ + ".guard"; }
  void log(const std::string& line) const {
    if (log_) log_(line);
  }

 private:
  struct Opened;
  [[nodiscard]] Result<std::unique_ptr<StoreLock>> hold_guard(StoreFolder::Hold hold,
                                                              std::chrono::milliseconds wait) const;
  [[nodiscard]] Opened try_open() const;
  /// Under the guard. Of the connection nothing but its label has been read.
  [[nodiscard]] Opened open_guarded(Access access) const;
  [[nodiscard]] Result<StoreConnection> make() const;
  [[nodiscard]] Result<StoreConnection> recover(const Error& damage) const;
  [[nodiscard]] Result<void> build(const StoreSeal& seal, TokenBook book) const;
  /// Compares with the copy: takes over what the database has lost, or brings the copy up to date.
  [[nodiscard]] Result<void> settle(const StoreConnection& connection) const;
  [[nodiscard]] Result<void> set_aside(std::string_view name) const;
  [[nodiscard]] std::string copy_name() const { return name_ + ".good"; }

  const StoreFolder folder_;
  const std::string app_id_;
  const std::string base_url_;
  const std::string name_;
  const std::shared_ptr<KeySource> keys_;
  const std::chrono::milliseconds wait_;
  const std::function<void(std::string_view)> log_;
};

}  // namespace keyturn::sdk

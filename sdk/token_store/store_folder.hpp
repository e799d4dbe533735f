// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

/// The folder of a store: who may touch it, whole files in it, and its locks. POSIX only; another system
/// brings its own of this name.
///
/// Thread safety: all members.
class StoreFolder {
 public:
  /// Makes the folder (0700) with its missing parents, their names durable. Errors, one clear line each:
  /// `InvalidConfiguration` when it is a symbolic link or no folder, belongs to another user, or when others
  /// may write to it or to a folder above it (without the sticky bit); `StoreUnavailable` when the system
  /// refuses.
  static Result<StoreFolder> open(const std::filesystem::path& path);
  /// The same judgement, and makes nothing. Nothing: there is no such folder.
  static Result<std::optional<StoreFolder>> find(const std::filesystem::path& path);

  /// Path of a file in it, made empty with mode 0600 when missing, and its name made durable. Errors:
  /// `InvalidConfiguration` when it is a symbolic link or others may open it; `StoreUnavailable`.
  [[nodiscard]] Result<std::string> private_file(std::string_view name) const;

  /// The same judgement of a file that exists, without opening it: to close a database file drops the locks
  /// that this process holds on it.
  [[nodiscard]] Result<void> check_private(std::string_view name) const;

  /// An advisory lock of the kernel's on a file of that name, released with its holder's last breath. The
  /// file stays: to delete it would let two holders in. Null: held elsewhere. On a read-only file system a
  /// shared hold is nothing but an object. Errors: `StoreUnavailable`.
  /// `to_look` is shared, takes a file that exists, and its end is no change to those who watch the file.
  enum class Hold { alone, shared, to_look };
  [[nodiscard]] Result<std::unique_ptr<StoreLock>> try_lock(std::string_view name,
                                                            Hold hold = Hold::alone) const;
  /// The same, and waits for it. Null: not within `wait`.
  [[nodiscard]] Result<std::unique_ptr<StoreLock>> lock(std::string_view name, Hold hold,
                                                        std::chrono::milliseconds wait) const;

  /// The bytes of a file; nothing when it is missing. Errors: as `private_file`, and `StoreUnavailable` when
  /// it is larger than `at_most`.
  [[nodiscard]] Result<std::optional<Secret>> read(std::string_view name, std::size_t at_most) const;
  /// The first `count` bytes, or as many as there are, whatever the file's size.
  [[nodiscard]] Result<std::optional<Secret>> read_beginning(std::string_view name, std::size_t count) const;
  /// Puts the bytes in the place of the file at once or not at all, synced. One writer at a time.
  [[nodiscard]] Result<void> replace(std::string_view name, std::string_view bytes) const;
  /// The same for a file that does not exist yet; false: it does, and is left alone.
  [[nodiscard]] Result<bool> create(std::string_view name, std::string_view bytes) const;
  /// Gives a synced file its final name, unless that is taken (false).
  [[nodiscard]] Result<bool> publish(std::string_view unfinished, std::string_view name) const;
  /// Renames a file, unless that name is taken (false) or it is missing.
  [[nodiscard]] Result<bool> rename(std::string_view from, std::string_view to) const;
  [[nodiscard]] Result<void> erase(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// Tells two files of one name apart; 0: there is none.
  [[nodiscard]] std::uint64_t identity(std::string_view name) const;
  [[nodiscard]] std::string path_of(std::string_view name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit StoreFolder(std::filesystem::path path) : path_(std::move(path)) {}
  static Result<StoreFolder> judged(const std::filesystem::path& path);
  [[nodiscard]] Result<std::optional<Secret>> read_part(std::string_view name, std::size_t at_most,
                                                        std::size_t count) const;
  [[nodiscard]] Result<void> write_new(const std::string& name, std::string_view bytes) const;
  [[nodiscard]] Result<void> sync() const;
  std::filesystem::path path_;
};

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

/// The folder of a store: who may touch it, and the locks in it. POSIX only; another system brings its own of
/// this name.
///
/// Thread safety: all members.
class StoreFolder {
 public:
  /// Makes the folder (0700) with its missing parents. Errors, one clear line each: `InvalidConfiguration`
  /// when it is a symbolic link or no folder, belongs to another user, or when others may write to it or to a
  /// folder above it (without the sticky bit); `StoreUnavailable` when the system refuses.
  static Result<StoreFolder> open(const std::filesystem::path& path);

  /// Path of a file in it, made empty with mode 0600 when missing, and its name made durable. Errors:
  /// `InvalidConfiguration` when it is a symbolic link or others may open it; `StoreUnavailable`.
  [[nodiscard]] Result<std::string> private_file(std::string_view name) const;

  /// An advisory lock of the kernel's on a file of that name, released with its holder's last breath. The
  /// file stays: to delete it would let two holders in. Null: held elsewhere. Errors: `StoreUnavailable`.
  [[nodiscard]] Result<std::unique_ptr<StoreLock>> try_lock(std::string_view name) const;

 private:
  explicit StoreFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace keyturn::sdk

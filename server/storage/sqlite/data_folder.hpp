// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <keyturn/base/result.hpp>

namespace keyturn::server::sqlite {

/// The server's data folder, held for one process by a kernel lock that ends with it (never a file that must
/// be deleted).
///
/// Thread safety: none needed; it is made, kept and destroyed.
class DataFolder {
 public:
  /// Makes the folder (0700) when it is missing, and locks it. Errors, one clear line each:
  /// `InvalidConfiguration` (no folder, or others may write to it), `StoreLocked` (another process has it),
  /// `StoreUnavailable`.
  static Result<DataFolder> open(const std::filesystem::path& path);
  DataFolder(DataFolder&& other) noexcept : path_(std::move(other.path_)), lock_(other.lock_) {
    other.lock_ = -1;
  }
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  /// Path of the database file, made empty (0600) when it is missing. Errors: `StoreCorrupt` when the file is
  /// no database or belongs to something else; it is not changed then. `InvalidConfiguration` when others may
  /// read it.
  Result<std::string> database_file() const;

 private:
  DataFolder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_;
};

}  // namespace keyturn::server::sqlite

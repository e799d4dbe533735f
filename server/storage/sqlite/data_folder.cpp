// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace keyturn::server::sqlite {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

Error unavailable(const std::string& what) {
  return {ErrorCode::StoreUnavailable, what + ": " + std::strerror(errno)};
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return unavailable("the data folder cannot be made");
  std::error_code code;
  const std::filesystem::path folder = std::filesystem::canonical(path, code);
  struct stat info {};
  if (code || ::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::InvalidConfiguration, "the data folder is not a folder that can be entered");
  }
  if ((info.st_mode & kOthersWrite) != 0) {
    return Error(ErrorCode::InvalidConfiguration,
                 "other users may write to the data folder; give it to the server's user alone (chmod 700)");
  }
  const std::filesystem::path lock_file = folder / "lock";
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (lock < 0) return unavailable("the lock of the data folder cannot be opened");
  DataFolder out(folder, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return unavailable("the data folder cannot be locked");
    return Error(ErrorCode::StoreLocked, "the data folder is in use by another process");
  }
  return out;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::string> DataFolder::database_file() const {
  const std::string file = path_ / "keyturn.db";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd < 0) return unavailable("the database file cannot be opened");
  struct stat info {};
  std::array<char, 16> head{};
  const bool readable = ::fstat(fd, &info) == 0;
  const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
  ::close(fd);
  if (!readable || got < 0) return unavailable("the database file cannot be read");
  if ((info.st_mode & kOthers) != 0) {
    return Error(ErrorCode::InvalidConfiguration, "other users may open the database file; chmod 600 it");
  }
  // The terminating zero is part of the mark.
  constexpr std::string_view kMark("SQLite format 3\0", 16);
  if (got != 0 && std::string_view(head.data(), static_cast<std::size_t>(got)) != kMark) {
    return Error(ErrorCode::StoreCorrupt, "the database file is not a database; it was left as it is");
  }
  // The file's name must outlive a power cut before the first answer does.
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!synced) return unavailable("the data folder cannot be synced");
  return file;
}

}  // namespace keyturn::server::sqlite

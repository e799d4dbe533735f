// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/sqlite/store_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace keyturn::sdk {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error unavailable(const char* what) {
  return {ErrorCode::StoreUnavailable, std::string(what) + ": " + std::generic_category().message(errno)};
}
Error refused(const char* what) { return {ErrorCode::InvalidConfiguration, what}; }

class FileLock final : public StoreLock {
 public:
  explicit FileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

Result<void> make_folders(const std::filesystem::path& path) {
  std::filesystem::path so_far;
  for (const auto& part : path) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), S_IRWXU) == 0 || errno == EEXIST) continue;
    // A folder that exists on a read-only system answers so.
    struct stat info {};
    if (::stat(so_far.c_str(), &info) != 0)
      return unavailable("the folder of the token store cannot be made");
  }
  return {};
}

}  // namespace

Result<StoreFolder> StoreFolder::open(const std::filesystem::path& given) {
  if (given.empty()) return refused("the folder of the token store is not given");
  std::error_code code;
  std::filesystem::path path = std::filesystem::absolute(given, code).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (code) return refused("the folder of the token store has no usable name");
  if (auto made = make_folders(path); !made) return made.error();
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return unavailable("the folder of the token store cannot be looked at");
  if (S_ISLNK(info.st_mode))
    return refused("the folder of the token store is a symbolic link; name the folder itself");
  if (!S_ISDIR(info.st_mode)) return refused("the folder of the token store is no folder");
  if (info.st_uid != ::geteuid()) return refused("the folder of the token store belongs to another user");
  if ((info.st_mode & kOthersWrite) != 0)
    return refused("other users may write to the folder of the token store; chmod 700 it");
  const std::filesystem::path real = std::filesystem::canonical(path, code);
  if (code) return refused("the folder of the token store cannot be entered");
  for (std::filesystem::path above = real.parent_path();; above = above.parent_path()) {
    if (::stat(above.c_str(), &info) != 0)
      return unavailable("a folder above the token store cannot be looked at");
    if ((info.st_mode & kOthersWrite) != 0 && (info.st_mode & S_ISVTX) == 0)
      return refused(
          "other users may write to a folder above the token store, and could put another in its place");
    if (above == above.root_path()) break;
  }
  return StoreFolder(real);
}

Result<std::string> StoreFolder::private_file(std::string_view name) const {
  const Descriptor folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder.ok()) return unavailable("the folder of the token store cannot be opened");
  const std::string file(name);
  const Descriptor fd(
      ::openat(folder.get(), file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!fd.ok())
    return errno == ELOOP ? refused("the file of the token store is a symbolic link")
                          : unavailable("the file of the token store cannot be opened");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return unavailable("the file of the token store cannot be looked at");
  if (!S_ISREG(info.st_mode)) return refused("the file of the token store is no regular file");
  if ((info.st_mode & kOthers) != 0)
    return refused("other users may open the file of the token store; chmod 600 it");
  // The name must outlive a power cut before the first log-in is told of.
  if (info.st_size == 0 && ::fsync(folder.get()) != 0)
    return unavailable("the folder of the token store cannot be synced");
  return (path_ / file).string();
}

Result<std::unique_ptr<StoreLock>> StoreFolder::try_lock(std::string_view name) const {
  const std::filesystem::path file = path_ / std::filesystem::path(name);
  Descriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!fd.ok()) return unavailable("the lock of the token store cannot be opened");
  for (;;) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0)
      return std::unique_ptr<StoreLock>(std::make_unique<FileLock>(std::move(fd)));
    if (errno == EWOULDBLOCK) return std::unique_ptr<StoreLock>();
    if (errno != EINTR) return unavailable("the lock of the token store cannot be taken");
  }
}

}  // namespace keyturn::sdk

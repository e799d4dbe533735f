// SPDX-License-Identifier: Apache-2.0
#include "sdk/token_store/store_folder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
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
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  /// Closing alone would leave it to a child that was forked meanwhile, which has a copy of the descriptor.
  ~FileLock() override {
    if (::getpid() == owner_) (void)::flock(fd_.get(), LOCK_UN);
  }

 private:
  Descriptor fd_;
  const pid_t owner_ = ::getpid();
};

/// What the folder is called from the root on.
Result<std::filesystem::path> absolute_path(const std::filesystem::path& given) {
  if (given.empty()) return refused("the folder of the token store is not given");
  std::error_code code;
  std::filesystem::path path = std::filesystem::absolute(given, code).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (code) return refused("the folder of the token store has no usable name");
  return path;
}

class NoLock final : public StoreLock {};

Result<void> make_folders(const std::filesystem::path& path) {
  // The usual case. What it is is judged afterwards.
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0) return {};
  std::filesystem::path so_far;
  for (const auto& part : path) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), S_IRWXU) == 0) {
      // Its name must outlive a power cut as what will lie in it does.
      const Descriptor above(::open(so_far.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!above.ok() || ::fsync(above.get()) != 0)
        return unavailable("the folder above a new folder of the token store cannot be synced");
      continue;
    }
    if (errno == EEXIST) continue;
    // A folder that exists on a read-only system answers so.
    struct stat info {};
    if (::stat(so_far.c_str(), &info) != 0)
      return unavailable("the folder of the token store cannot be made");
  }
  return {};
}

}  // namespace

Result<StoreFolder> StoreFolder::open(const std::filesystem::path& given) {
  const auto path = absolute_path(given);
  if (!path) return path.error();
  if (auto made = make_folders(*path); !made) return made.error();
  return judged(*path);
}

Result<std::optional<StoreFolder>> StoreFolder::find(const std::filesystem::path& given) {
  const auto path = absolute_path(given);
  if (!path) return path.error();
  struct stat info {};
  if (::lstat(path->c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR))
    return std::optional<StoreFolder>();
  auto folder = judged(*path);
  if (!folder) return folder.error();
  return std::optional(std::move(*folder));
}

Result<StoreFolder> StoreFolder::judged(const std::filesystem::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return unavailable("the folder of the token store cannot be looked at");
  if (S_ISLNK(info.st_mode))
    return refused("the folder of the token store is a symbolic link; name the folder itself");
  if (!S_ISDIR(info.st_mode)) return refused("the folder of the token store is no folder");
  if (info.st_uid != ::geteuid()) return refused("the folder of the token store belongs to another user");
  if ((info.st_mode & kOthersWrite) != 0)
    return refused("other users may write to the folder of the token store; chmod 700 it");
  std::error_code code;
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

Result<void> StoreFolder::check_private(std::string_view name) const {
  struct stat info {};
  if (::lstat(path_of(name).c_str(), &info) != 0)
    return unavailable("the file of the token store cannot be looked at");
  if (S_ISLNK(info.st_mode)) return refused("the file of the token store is a symbolic link");
  if (!S_ISREG(info.st_mode)) return refused("the file of the token store is no regular file");
  if (info.st_uid != ::geteuid()) return refused("the file of the token store belongs to another user");
  if ((info.st_mode & kOthers) != 0)
    return refused("other users may open the file of the token store; chmod 600 it");
  return {};
}

Result<std::unique_ptr<StoreLock>> StoreFolder::try_lock(std::string_view name, Hold hold) const {
  const int access = hold == Hold::to_look ? O_RDONLY : O_RDWR | O_CREAT;
  Descriptor fd(::open(path_of(name).c_str(), access | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  // Where nothing can be changed a shared hold keeps nobody away, and so may be none.
  if (!fd.ok() && errno == EROFS && hold == Hold::shared)
    return std::unique_ptr<StoreLock>(std::make_unique<NoLock>());
  if (!fd.ok()) return unavailable("the lock of the token store cannot be opened");
  for (;;) {
    if (::flock(fd.get(), (hold == Hold::alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
      return std::unique_ptr<StoreLock>(std::make_unique<FileLock>(std::move(fd)));
    if (errno == EWOULDBLOCK) return std::unique_ptr<StoreLock>();
    if (errno != EINTR) return unavailable("the lock of the token store cannot be taken");
  }
}

Result<std::unique_ptr<StoreLock>> StoreFolder::lock(std::string_view name, Hold hold,
                                                     std::chrono::milliseconds wait) const {
  constexpr std::chrono::milliseconds kPause{5};
  for (;; wait -= kPause) {
    auto taken = try_lock(name, hold);
    if (!taken || *taken != nullptr || wait.count() <= 0) return taken;
    (void)::poll(nullptr, 0, static_cast<int>(kPause.count()));
  }
}

Result<std::optional<Secret>> StoreFolder::read(std::string_view name, std::size_t at_most) const {
  return read_part(name, at_most, at_most);
}

Result<std::optional<Secret>> StoreFolder::read_beginning(std::string_view name, std::size_t count) const {
  return read_part(name, std::numeric_limits<std::size_t>::max(), count);
}

Result<std::optional<Secret>> StoreFolder::read_part(std::string_view name, std::size_t at_most,
                                                     std::size_t count) const {
  const Descriptor fd(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.ok()) {
    if (errno == ENOENT) return std::optional<Secret>();
    return errno == ELOOP ? refused("a file of the token store is a symbolic link")
                          : unavailable("a file of the token store cannot be opened");
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return unavailable("a file of the token store cannot be looked at");
  if (!S_ISREG(info.st_mode)) return refused("a file of the token store is no regular file");
  if (info.st_uid != ::geteuid()) return refused("a file of the token store belongs to another user");
  if ((info.st_mode & kOthers) != 0)
    return refused("other users may open a file of the token store; chmod 600 it");
  if (static_cast<std::uint64_t>(info.st_size) > at_most)
    return Error(ErrorCode::StoreUnavailable, "a file of the token store is too large");
  const std::size_t size = std::min(static_cast<std::size_t>(info.st_size), count);
  std::size_t filled = 0;
  int fault = 0;
  Secret bytes = Secret::filled(size, [&](char* place) {
    while (filled < size) {
      const ssize_t got = ::read(fd.get(), place + filled, size - filled);
      if (got > 0) {
        filled += static_cast<std::size_t>(got);
      } else if (got == 0 || errno != EINTR) {
        fault = got == 0 ? EIO : errno;
        return;
      }
    }
  });
  if (fault != 0) {
    errno = fault;
    return unavailable("a file of the token store cannot be read");
  }
  return std::optional<Secret>(std::move(bytes));
}

Result<void> StoreFolder::write_new(const std::string& name, std::string_view bytes) const {
  const std::string file = path_of(name);
  const Descriptor fd(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!fd.ok()) return unavailable("a file of the token store cannot be made");
  const auto fault = [&](const char* what) {
    Error error = unavailable(what);
    (void)::unlink(file.c_str());
    return error;
  };
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd.get(), bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno != EINTR) {
      return fault("a file of the token store cannot be written");
    }
  }
  if (::fsync(fd.get()) != 0) return fault("a file of the token store cannot be synced");
  return {};
}

Result<void> StoreFolder::sync() const {
  const Descriptor folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder.ok() || ::fsync(folder.get()) != 0)
    return unavailable("the folder of the token store cannot be synced");
  return {};
}

Result<void> StoreFolder::replace(std::string_view name, std::string_view bytes) const {
  const std::string unfinished = std::string(name) + ".new";
  if (auto erased = erase(unfinished); !erased) return erased;  // of a writer that was killed
  if (auto written = write_new(unfinished, bytes); !written) return written;
  if (::rename(path_of(unfinished).c_str(), path_of(name).c_str()) != 0)
    return unavailable("a file of the token store cannot be put in its place");
  return sync();
}

Result<bool> StoreFolder::create(std::string_view name, std::string_view bytes) const {
  const std::string unfinished = std::string(name) + ".new-" + std::to_string(::getpid());
  if (auto erased = erase(unfinished); !erased) return erased.error();
  if (auto written = write_new(unfinished, bytes); !written) return written.error();
  return publish(unfinished, name);
}

Result<bool> StoreFolder::publish(std::string_view unfinished, std::string_view name) const {
  auto renamed = rename(unfinished, name);
  if (renamed && !*renamed) (void)erase(unfinished);
  return renamed;
}

Result<bool> StoreFolder::rename(std::string_view from, std::string_view to) const {
  const std::string source = path_of(from);
  const std::string target = path_of(to);
  int done = ::renameat2(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
  // Some file systems cannot do it in one step: two names for a moment are no harm.
  if (done != 0 && errno == EINVAL) {
    done = ::link(source.c_str(), target.c_str());
    if (done == 0) (void)::unlink(source.c_str());
  }
  if (done != 0) {
    if (errno == EEXIST || errno == ENOENT) return false;
    return unavailable("a file of the token store cannot be renamed");
  }
  if (auto synced = sync(); !synced) return synced.error();
  return true;
}

Result<void> StoreFolder::erase(std::string_view name) const {
  if (::unlink(path_of(name).c_str()) != 0 && errno != ENOENT)
    return unavailable("a file of the token store cannot be erased");
  return {};
}

bool StoreFolder::has(std::string_view name) const { return identity(name) != 0; }

std::uint64_t StoreFolder::identity(std::string_view name) const {
  struct stat info {};
  return ::lstat(path_of(name).c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "server/storage/key_files/file_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace keyturn::server::key_files {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr std::size_t kMaxSize = std::size_t{64} * 1024;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool sync() const noexcept { return ::fsync(fd_) == 0; }

 private:
  int fd_;
};

bool sync_folder(const std::filesystem::path& folder) {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && opened.sync();
}

Error failed(const std::string& what) {
  return {ErrorCode::ServiceUnavailable, what + ": " + std::strerror(errno)};
}

bool write_all(const File& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.fd(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<void> make_private_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) == 0) {
    if (!sync_folder(folder.parent_path())) return failed("the data folder cannot be synced");
    return {};
  }
  if (errno != EEXIST) return failed("the folder of the signing keys cannot be made");
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return failed("the folder of the signing keys cannot be read");
  if (!S_ISDIR(info.st_mode) || (info.st_mode & kOthers) != 0) {
    return Error(ErrorCode::InvalidConfiguration,
                 "the folder of the signing keys is open to other users (chmod 700 it) or is no folder");
  }
  return {};
}

Result<void> write_durably(const std::filesystem::path& folder, const std::string& name,
                           std::string_view bytes) {
  const std::filesystem::path target = folder / name;
  const std::filesystem::path fresh = folder / (name + ".new");
  ::unlink(fresh.c_str());  // Left by a crash, never in use.
  Result<void> outcome;
  {
    const File file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!file.is_open()) return failed("the file of the signing keys cannot be made");
    if (!write_all(file, bytes) || !file.sync()) outcome = failed("the signing keys cannot be written");
  }
  // Unlike plain rename(), never replaces a file: an app's keys that are lost end all its sessions.
  if (outcome && ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    outcome = failed("the signing keys cannot be put in place");
  }
  if (!outcome) {
    ::unlink(fresh.c_str());
    return outcome;
  }
  if (sync_folder(folder)) return {};
  outcome = failed("the folder of the signing keys cannot be synced");
  ::unlink(target.c_str());
  return outcome;
}

Result<std::string> read_private(const std::filesystem::path& path) {
  const auto refuse = [](const char* why) { return Error(ErrorCode::InvalidConfiguration, why); };
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) {
    return refuse(errno == ENOENT ? "the signing keys of the app are missing"
                                  : "the file of the signing keys cannot be opened");
  }
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode))
    return refuse("the signing keys are not in a file");
  if ((info.st_mode & kOthers) != 0)
    return refuse("other users may read the signing keys; chmod 600 their file");
  std::string bytes(kMaxSize + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.fd(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse("the file of the signing keys cannot be read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxSize) return refuse("the file of the signing keys is too large");
  bytes.resize(size);
  return bytes;
}

bool remove_durably(const std::filesystem::path& folder, const std::string& name) {
  if (::unlink((folder / name).c_str()) != 0) return errno == ENOENT;
  return sync_folder(folder);
}

}  // namespace keyturn::server::key_files

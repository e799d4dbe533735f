// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/store_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <fstream>
#include <map>
#include <mutex>
#include <random>

namespace keyturn::faults {
namespace {

struct State {
  std::mutex mutex;
  std::string folder;
  std::map<int, std::string> open_files;  // name in the folder; "" is the folder itself
  std::vector<DiskStep> steps;
  std::uint64_t fail_in = 0;
  int code = 0;
  bool from_there_on = false;
  bool failed = false;
};
State& state() {
  static State* const made = new State;
  return *made;
}
std::atomic<bool> active{false};

/// The name in the folder; false for a file elsewhere.
bool name_of(const char* path, std::string& name) {
  const std::string& folder = state().folder;
  const std::string text = path;
  if (text == folder) {
    name.clear();
    return true;
  }
  if (text.rfind(folder + "/", 0) != 0) {
    // Relative to an open folder: the store opens its own only.
    if (text.find('/') != std::string::npos || text.rfind("keyturn-", 0) != 0) return false;
    name = text;
    return true;
  }
  name = text.substr(folder.size() + 1);
  return true;
}
bool of_interest(const std::string& name) { return !name.ends_with("-shm") && !name.ends_with(".guard"); }

/// Whether this call fails, by the plan. Under the lock.
bool fails(bool takes_space) {
  State& s = state();
  if (s.failed && s.from_there_on && takes_space) {
    errno = s.code;
    return true;
  }
  if (s.fail_in == 0 || --s.fail_in != 0) return false;
  s.failed = true;
  errno = s.code;
  return true;
}

int opened(const char* path, int folder, int flags, mode_t mode) {
  const auto pass = [&] { return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode)); };
  if (!active) return pass();
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  std::string name;
  if (!name_of(path, name)) return pass();
  if (fails((flags & O_CREAT) != 0)) return -1;
  const std::string full = name.empty() ? s.folder : s.folder + "/" + name;
  struct stat info {};
  const bool existed = ::stat(full.c_str(), &info) == 0;
  const int fd = pass();
  if (fd < 0) return fd;
  s.open_files[fd] = name;
  if (!existed && of_interest(name)) s.steps.push_back({DiskStep::Kind::create, name, {}, 0, {}, 0});
  if (existed && (flags & O_TRUNC) != 0) s.steps.push_back({DiskStep::Kind::truncate, name, {}, 0, {}, 0});
  return fd;
}

/// Runs a call on an open file of the folder; `record` after it went well.
template <class Pass, class Record>
auto on_file(int fd, bool takes_space, Pass pass, Record record) -> decltype(pass()) {
  if (!active) return pass();
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  const auto found = s.open_files.find(fd);
  if (found == s.open_files.end() || !of_interest(found->second)) return pass();
  if (fails(takes_space)) return -1;
  const auto answer = pass();
  if (answer >= 0) record(s, found->second, answer);
  return answer;
}

ssize_t written(int fd, const void* data, std::size_t size, std::int64_t offset) {
  return on_file(
      fd, true, [&] { return ::syscall(SYS_pwrite64, fd, data, size, offset); },
      [&](State& s, const std::string& name, long done) {
        s.steps.push_back({DiskStep::Kind::write,
                           name,
                           {},
                           offset,
                           std::string(static_cast<const char*>(data), static_cast<std::size_t>(done)),
                           0});
      });
}

int synced(int fd, long number) {
  return on_file(
      fd, false, [&] { return static_cast<int>(::syscall(number, fd)); },
      [&](State& s, const std::string& name, int) {
        s.steps.push_back(
            {name.empty() ? DiskStep::Kind::sync_folder : DiskStep::Kind::sync, name, {}, 0, {}, 0});
      });
}

int truncated(int fd, std::int64_t size) {
  return on_file(
      fd, false, [&] { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); },
      [&](State& s, const std::string& name, int) {
        s.steps.push_back({DiskStep::Kind::truncate, name, {}, size, {}, 0});
      });
}

template <class Pass>
int on_name(const char* path, const char* target, DiskStep::Kind kind, Pass pass) {
  if (!active) return pass();
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  std::string name;
  std::string other;
  if (!name_of(path, name)) return pass();
  if (target != nullptr && !name_of(target, other)) return pass();
  if (fails(false)) return -1;
  const int answer = pass();
  if (answer == 0 && of_interest(name)) s.steps.push_back({kind, name, other, 0, {}, 0});
  return answer;
}

}  // namespace

namespace disk {

void watch(const std::filesystem::path& folder) {
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  s.folder = folder.string();
  s.open_files.clear();
  s.steps.clear();
  s.fail_in = 0;
  s.failed = false;
  active = true;
}
void leave() { active = false; }
void mark(int value) {
  const std::scoped_lock lock(state().mutex);
  state().steps.push_back({DiskStep::Kind::mark, {}, {}, 0, {}, value});
}
std::vector<DiskStep> steps() {
  const std::scoped_lock lock(state().mutex);
  return state().steps;
}
void fail(std::uint64_t nth, int code, bool from_there_on) {
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  s.fail_in = nth;
  s.code = code;
  s.from_there_on = from_there_on;
  s.failed = false;
}
bool failed() {
  const std::scoped_lock lock(state().mutex);
  return state().failed;
}

}  // namespace disk

void lose_power(const std::vector<DiskStep>& steps, std::size_t count, std::uint32_t luck,
                const std::filesystem::path& into) {
  struct Inode {
    std::string durable;
    std::vector<const DiskStep*> pending;
  };
  std::vector<Inode> inodes;
  std::map<std::string, std::size_t> now;  // names as the running system saw them
  std::map<std::string, std::size_t> durable;
  std::vector<std::map<std::string, std::size_t>> pending_names;
  const auto apply = [](std::string& bytes, const DiskStep& step, std::size_t of_it) {
    if (step.kind == DiskStep::Kind::truncate) {
      bytes.resize(static_cast<std::size_t>(step.offset));
      return;
    }
    const auto offset = static_cast<std::size_t>(step.offset);
    if (bytes.size() < offset + of_it) bytes.resize(offset + of_it);
    bytes.replace(offset, of_it, step.bytes, 0, of_it);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const DiskStep& step = steps[i];
    switch (step.kind) {
      case DiskStep::Kind::create:
        now[step.name] = inodes.size();
        inodes.emplace_back();
        pending_names.push_back(now);
        break;
      case DiskStep::Kind::write:
      case DiskStep::Kind::truncate:
        if (now.contains(step.name)) inodes[now[step.name]].pending.push_back(&step);
        break;
      case DiskStep::Kind::sync:
        if (now.contains(step.name)) {
          Inode& inode = inodes[now[step.name]];
          for (const DiskStep* done : inode.pending) apply(inode.durable, *done, done->bytes.size());
          inode.pending.clear();
        }
        break;
      case DiskStep::Kind::rename:
        now[step.target] = now[step.name];
        now.erase(step.name);
        pending_names.push_back(now);
        break;
      case DiskStep::Kind::unlink:
        now.erase(step.name);
        pending_names.push_back(now);
        break;
      case DiskStep::Kind::sync_folder:
        durable = now;
        pending_names.clear();
        break;
      case DiskStep::Kind::mark:
        break;
    }
  }
  std::mt19937 chance(luck);
  if (!pending_names.empty() && luck != 0) {
    const std::size_t kept = luck == 1 ? pending_names.size() : chance() % (pending_names.size() + 1);
    if (kept != 0) durable = pending_names[kept - 1];
  }
  std::filesystem::remove_all(into);
  std::filesystem::create_directory(into);
  std::filesystem::permissions(into, std::filesystem::perms::owner_all);
  for (const auto& [name, number] : durable) {
    std::string bytes = inodes[number].durable;
    for (const DiskStep* step : inodes[number].pending) {
      if (luck == 0) continue;
      const auto fate = luck == 1 ? 0U : static_cast<std::uint32_t>(chance() % 3);
      if (fate == 0) apply(bytes, *step, step->bytes.size());
      if (fate == 1 && !step->bytes.empty()) apply(bytes, *step, chance() % step->bytes.size());
    }
    std::ofstream(into / name, std::ios::binary) << bytes;
    std::filesystem::permissions(into / name,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

}  // namespace keyturn::faults

// What SQLite and the store call. Strong symbols of the program come before those of the C library.
#define KEYTURN_INTERPOSED extern "C" __attribute__((visibility("default")))
using keyturn::faults::DiskStep;

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}
KEYTURN_INTERPOSED int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return keyturn::faults::opened(path, AT_FDCWD, flags, mode);
}
KEYTURN_INTERPOSED int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return keyturn::faults::opened(path, AT_FDCWD, flags, mode);
}
KEYTURN_INTERPOSED int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return keyturn::faults::opened(path, folder, flags, mode);
}
KEYTURN_INTERPOSED ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return keyturn::faults::written(fd, data, size, offset);
}
KEYTURN_INTERPOSED ssize_t write(int fd, const void* data, size_t size) {
  if (!keyturn::faults::active) return ::syscall(SYS_write, fd, data, size);
  // The store writes whole files from their beginning, through descriptors of their own.
  const auto at = ::lseek(fd, 0, SEEK_CUR);
  if (at < 0) return ::syscall(SYS_write, fd, data, size);
  const ssize_t done = keyturn::faults::written(fd, data, size, at);
  if (done > 0) (void)::lseek(fd, at + done, SEEK_SET);
  return done;
}
KEYTURN_INTERPOSED int ftruncate64(int fd, off64_t size) noexcept {
  return keyturn::faults::truncated(fd, size);
}
KEYTURN_INTERPOSED int fsync(int fd) { return keyturn::faults::synced(fd, SYS_fsync); }
KEYTURN_INTERPOSED int fdatasync(int fd) { return keyturn::faults::synced(fd, SYS_fdatasync); }
KEYTURN_INTERPOSED int unlink(const char* path) noexcept {
  return keyturn::faults::on_name(path, nullptr, DiskStep::Kind::unlink,
                                  [&] { return static_cast<int>(::syscall(SYS_unlink, path)); });
}
KEYTURN_INTERPOSED int rename(const char* from, const char* to) noexcept {
  return keyturn::faults::on_name(from, to, DiskStep::Kind::rename, [&] {
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
  });
}
KEYTURN_INTERPOSED int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept {
  return keyturn::faults::on_name(from, to, DiskStep::Kind::rename, [&] {
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
  });
}
KEYTURN_INTERPOSED int close(int fd) {
  if (keyturn::faults::active) {
    const std::scoped_lock lock(keyturn::faults::state().mutex);
    keyturn::faults::state().open_files.erase(fd);
  }
  return static_cast<int>(::syscall(SYS_close, fd));
}

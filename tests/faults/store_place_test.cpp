// SPDX-License-Identifier: Apache-2.0
// Row B-15 on real file systems that are full to the last byte, and row B-31: what each file and folder is
// made with.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

constexpr int kNoMount = 77;

/// Takes all space that is left but `spare` bytes; false: there was less.
bool fill(const fs::path& file, std::size_t spare) {
  const int filler = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  off_t size = 0;
  for (const std::size_t piece : {std::size_t{4096}, std::size_t{1}}) {
    const std::string bytes(piece, 'f');
    while (::write(filler, bytes.data(), piece) == static_cast<ssize_t>(piece))
      size += static_cast<off_t>(piece);
  }
  const off_t kept = size - static_cast<off_t>(spare);
  const bool fits = kept >= 0 && ::ftruncate(filler, kept) == 0;
  ::close(filler);
  return fits;
}

bool write_line(const char* file, const std::string& line) {
  std::ofstream out(file);
  return static_cast<bool>(out << line << std::flush);
}

/// Mounts of a name space of this process's own, which end with it.
bool leave_mounts_of_others() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    (void)write_line("/proc/self/setgroups", "deny");
    if (!write_line("/proc/self/uid_map", user + " " + user + " 1") ||
        !write_line("/proc/self/gid_map", group + " " + group + " 1"))
      return false;
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mount_tmpfs(const fs::path& disk) {
  return ::mount("none", disk.c_str(), "tmpfs", 0, "size=1m,mode=0700") == 0;
}

bool run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

/// A file of 8 MiB as a disk. The kernel frees the loop device by itself when the name space is gone, however
/// this process ends: `mount` asks for that.
bool mount_ext4(const fs::path& disk) {
  const std::string image = disk.string() + ".ext4";
  std::ofstream(image).close();
  fs::resize_file(image, 8U << 20U);
  return run({"/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image}) &&
         run({"/bin/mount", "-o", "loop", image, disk}) && ::chmod(disk.c_str(), 0700) == 0;
}

/// Whether a loop device still stands on this image.
bool loops_over(const std::string& image) {
  for (const auto& device : fs::directory_iterator("/sys/block")) {
    std::string file;
    std::getline(std::ifstream(device.path() / "loop" / "backing_file"), file);
    if (file.starts_with(image)) return true;
  }
  return false;
}

/// One life on the mounted disk: refreshes with so much space left, each of which is done or leaves the old
/// token. What went wrong, or nothing.
std::string live_on_full_disk(const fs::path& disk, int& refused, int& done) {
  auto store = open_store(disk / "store");
  if (!store) return "cannot begin: " + store.error().message;
  if (!(*store)->put(ada("a.0"), true)) return "cannot log in";
  std::string known = "a.0";
  int number = 0;
  for (std::size_t pages = 0; pages < 14; ++pages) {
    if (!fill(disk / "filler", pages * 4096)) return "cannot fill";
    for (int i = 0; i < 30; ++i) {  // long enough for the log to be moved into the database
      const std::string next = "a." + std::to_string(++number);
      auto user = (*store)->load_user("ada");
      if (!user || !*user) return "the session cannot be read while the disk is full";
      (*user)->access_token = Secret(next);
      const auto saved = (*store)->replace(**user);
      if (saved) known = next;
      ++(saved ? done : refused);
      if (const std::string told = told_by(**store); told != known) return "told " + told + ", not " + known;
    }
    if (const std::string told = told_by(disk / "store"); told != known)
      return "opened anew: " + told + ", not " + known;
    fs::remove(disk / "filler");
    auto user = (*store)->load_user("ada");
    (*user)->access_token = Secret(known = "b." + std::to_string(++number));
    if (!(*store)->replace(**user)) return "not saved by the first refresh after space came back";
    if (const std::string told = told_by(disk / "store"); told != known)
      return "with space: " + told + ", not " + known;
  }
  return {};
}

/// Lives on a disk that a process of its own mounts; what it tells, empty when it cannot mount.
std::string told_from_full_disk(const fs::path& disk, bool (*mount_disk)(const fs::path&)) {
  fs::create_directory(disk);
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    if (!leave_mounts_of_others() || !mount_disk(disk)) ::_exit(kNoMount);
    int refused = 0;
    int done = 0;
    std::string said = live_on_full_disk(disk, refused, done);
    if (said.empty()) said = "+" + std::to_string(done) + " saved, " + std::to_string(refused) + " refused";
    const bool written = ::write(pipe[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string said(1000, '\0');
  const ssize_t got = ::read(pipe[0], said.data(), said.size());
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMount) return {};
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return said.empty() ? "the process ended with " + std::to_string(status) : said;
}

void expect_nothing_lost(const std::string& said, const std::string& name) {
  EXPECT_EQ(said.front(), '+') << said;
  EXPECT_EQ(said.find(" 0 refused"), std::string::npos) << "the disk was never full";
  std::cout << name << ": " << said.substr(1) << ", no session lost\n";
}

TEST(StorePlace, ARealDiskThatIsFullToTheByteLosesNothing) {
  const Scratch scratch;
  const std::string said = told_from_full_disk(scratch / "disk", mount_tmpfs);
  if (said.empty()) GTEST_SKIP() << "no mount in a name space here: it takes root, or name spaces of users";
  expect_nothing_lost(said, "tmpfs of 1 MiB");
}

TEST(StorePlace, ARealDiskOfExt4ThatIsFullToTheByteLosesNothing) {
  if (!fs::exists("/dev/loop-control")) GTEST_SKIP() << "no loop devices here";
  if (!fs::exists("/sbin/mkfs.ext4")) GTEST_SKIP() << "no mkfs.ext4";
  if (::geteuid() != 0) GTEST_SKIP() << "only root may mount ext4";
  const Scratch scratch;
  const std::string said = told_from_full_disk(scratch / "disk", mount_ext4);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (loops_over(scratch / "disk.ext4") && std::chrono::steady_clock::now() < end) ::usleep(10'000);
  EXPECT_FALSE(loops_over(scratch / "disk.ext4")) << "a loop device is left over";
  if (said.empty()) GTEST_SKIP() << "ext4 cannot be mounted from a loop device here";
  expect_nothing_lost(said, "ext4 of 8 MiB");
}

/// What goes wrong with a store on a disk that is mounted for reading only, after it was closed and after its
/// process died; or nothing.
std::string read_from_read_only_disk(const fs::path& disk) {
  {
    auto store = open_store(disk / "closed");
    if (!store || !(*store)->put(ada("a.1"), true)) return "cannot begin";
    auto user = (*store)->load_user("ada");
    (*user)->access_token = Secret("a.2");
    if (!(*store)->replace(**user)) return "cannot refresh";
    fs::copy(disk / "closed", disk / "died", fs::copy_options::recursive);
    fs::permissions(disk / "died", fs::perms::owner_all);
  }
  if (::mount(nullptr, disk.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) return "cannot remount";
  for (const char* name : {"closed", "died"}) {
    auto store = open_store(disk / name);
    if (!store) return std::string(name) + ": " + store.error().message;
    if (const std::string told = told_by(**store); told != "a.2") return std::string(name) + " told " + told;
    auto user = (*store)->load_user("ada");
    const auto saved = (*store)->replace(**user);
    if (saved || saved.error().code != ErrorCode::StoreUnavailable)
      return std::string(name) + ": a write was taken";
    if ((*store)->put(ada("b.1"), true)) return std::string(name) + ": a log-in was taken";
    if (const std::string told = told_by(**store); told != "a.2")
      return std::string(name) + " told later " + told;
  }
  if (open_store(disk / "none")) return "a store was made where nothing can be";
  return "+";
}

TEST(StorePlace, AReadOnlyDiskGivesWhatItHoldsAndTakesNothing) {
  const Scratch scratch;
  const fs::path disk = scratch / "disk";
  fs::create_directory(disk);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (!leave_mounts_of_others() || !mount_tmpfs(disk)) ::_exit(kNoMount);
    const std::string said = read_from_read_only_disk(disk);
    ::_exit(::write(pipe[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string said(1000, '\0');
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(pipe[0], said.data(), said.size()), 0)));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMount)
    GTEST_SKIP() << "no mount in a name space here: it takes root, or name spaces of users";
  EXPECT_EQ(said, "+");
}

// A folder whose name is lost in a power cut takes the first log-in with it.
TEST(StorePlace, EveryNewFolderIsSyncedIntoTheFolderAbove) {
  if (!fs::exists("/usr/bin/strace")) GTEST_SKIP() << "no strace";
  const Scratch scratch;
  const std::string log = scratch / "calls";
  Worker worker = start_worker("refresh", scratch / "a/b/store", "http://127.0.0.1:9",
                               {"strace", "-f", "-q", "-y", "-o", log, "-e", "trace=mkdir,fsync"});
  ASSERT_GT(worker.pid, 0);
  (void)end_of(worker);
  std::ifstream calls(log);
  std::vector<fs::path> unsynced;
  int folders = 0;
  for (std::string line; std::getline(calls, line);) {
    if (line.find("mkdir(\"") != std::string::npos && line.ends_with(" = 0")) {
      const auto from = line.find('"') + 1;
      unsynced.push_back(fs::path(line.substr(from, line.find('"', from) - from)).parent_path());
      ++folders;
    } else if (line.find("fsync(") != std::string::npos && line.ends_with(" = 0")) {
      const auto from = line.find('<') + 1;
      const fs::path synced = line.substr(from, line.find('>') - from);
      std::erase(unsynced, synced);
    }
  }
  EXPECT_EQ(folders, 3);
  EXPECT_TRUE(unsynced.empty()) << unsynced.size() << " folders not synced, first: " << unsynced[0];
}

TEST(StorePlace, EveryFileIsPrivateFromItsFirstByte) {
  if (!fs::exists("/usr/bin/strace")) GTEST_SKIP() << "no strace";
  const Scratch scratch;
  const std::string log = scratch / "calls";
  // Without a mask of the process: what is asked for counts. Nobody answers at that address.
  Worker worker =
      start_worker("refresh", scratch / "store", "http://127.0.0.1:9",
                   {"strace", "-f", "-q", "-o", log, "-e", "trace=open,openat,creat,mkdir,mkdirat", "sh",
                    "-c", "umask 0; exec \"$@\"", "sh"});
  ASSERT_GT(worker.pid, 0);
  (void)end_of(worker);
  std::ifstream calls(log);
  int files = 0;
  int folders = 0;
  for (std::string line; std::getline(calls, line);) {
    if (line.find((scratch / "store").string()) == std::string::npos) continue;
    if (line.find("mkdir") != std::string::npos) {
      ++folders;
      EXPECT_NE(line.find(", 0700)"), std::string::npos) << line;
    } else if (line.find("O_CREAT") != std::string::npos) {
      ++files;
      EXPECT_NE(line.find(", 0600)"), std::string::npos) << line;
      EXPECT_NE(line.find("O_NOFOLLOW"), std::string::npos) << line;
    }
  }
  EXPECT_GE(files, 3);
  EXPECT_GE(folders, 1);
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "store"))
    EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()) & 077U, 0U) << entry.path();
  std::cout << files << " files and " << folders << " folders made, all private from the first byte\n";
}

}  // namespace
}  // namespace keyturn::faults

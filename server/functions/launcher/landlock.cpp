// SPDX-License-Identifier: Apache-2.0
#include "server/functions/launcher/landlock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace keyturn::server::functions {
namespace {

// The kernel's interface (Documentation/userspace-api/landlock.rst). Debian 12's headers end at ABI 2 and
// libc wraps none of it.
constexpr std::uint64_t kExecute = 1U << 0U;
constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kAllOfAbi1 = (1U << 13U) - 1;
constexpr std::uint64_t kRefer = 1U << 13U;          // ABI 2
constexpr std::uint64_t kTruncate = 1U << 14U;       // ABI 3
constexpr std::uint64_t kTcp = 3;                    // ABI 4: bind and connect
constexpr std::uint64_t kDeviceControl = 1U << 15U;  // ABI 5
constexpr std::uint64_t kScopes = 3;                 // ABI 6: abstract sockets and signals
constexpr std::uint32_t kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};
struct __attribute__((packed)) PathRule {
  std::uint64_t allowed;
  std::int32_t folder;
};

bool allow(int ruleset, const char* path, std::uint64_t rights, bool is_needed) {
  const int file = ::open(path, O_PATH | O_CLOEXEC);
  if (file < 0) return !is_needed && (errno == ENOENT || errno == EACCES);
  const PathRule rule{rights, file};
  const bool done = ::syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &rule, 0U) == 0;
  ::close(file);
  return done;
}

/// A library folder, the cache of the loader: not every machine has every one.
bool allow_what_exists(int ruleset) {
  constexpr std::array<const char*, 6> kLibraries{
      "/usr/lib/x86_64-linux-gnu",
      "/lib/x86_64-linux-gnu",
      "/usr/lib/aarch64-linux-gnu",
      "/lib/aarch64-linux-gnu",
      "/usr/lib64",
      "/usr/share/nodejs"};  // Debian's Node.js reads built-ins there
  constexpr std::array<const char*, 2> kLoaders{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"};
  for (const char* path : kLibraries) {
    if (!allow(ruleset, path, kReadFile, false)) return false;
  }
  for (const char* path : kLoaders) {
    if (!allow(ruleset, path, kReadFile | kExecute, false)) return false;
  }
  return allow(ruleset, "/etc/ld.so.cache", kReadFile, false);
}

}  // namespace

bool restrict_files(const char* node) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0U, kAskVersion);
  if (version < 1) return false;
  Ruleset rules{kAllOfAbi1, 0, 0};
  if (version >= 2) rules.files |= kRefer;
  if (version >= 3) rules.files |= kTruncate;
  if (version >= 4) rules.network = kTcp;
  if (version >= 5) rules.files |= kDeviceControl;
  if (version >= 6) rules.scopes = kScopes;
  const int ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0U));
  if (ruleset < 0) return false;
  const bool done = allow(ruleset, node, kReadFile | kExecute, true) && allow_what_exists(ruleset) &&
                    allow(ruleset, "/dev/null", kReadFile | kWriteFile, true) &&
                    ::syscall(SYS_landlock_restrict_self, ruleset, 0U) == 0;
  ::close(ruleset);
  return done;
}

}  // namespace keyturn::server::functions

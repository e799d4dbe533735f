// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "server/functions/launcher/exit_codes.hpp"
#include "server/functions/launcher/landlock.hpp"
#include "server/functions/launcher/syscall_filter.hpp"

// keyturn-function-launcher PARENT-PID DATA-LIMIT-BYTES NODE [ARGUMENT...]
//
// Becomes a worker: gives up everything a function must not have, then executes Node.js. Descriptor 0 is the
// worker's program, 3 its socket. The order matters: each step needs what later ones take away.
namespace keyturn::server::functions {
namespace {

constexpr int kFirstForeignFile = 4;
constexpr uid_t kNobody = 65'534;
constexpr rlim_t kThreadsOfAllWorkers = 1'024;
constexpr rlim_t kOpenFiles = 32;
// None: less than any core file needs. A limit of 0 is not heeded where cores go to a program, one of 1 is.
constexpr rlim_t kCoreBytes = 1;
// Behind the server for the processor, so that functions which calculate do not hold up a refresh.
constexpr int kNicer = 10;

bool limit(__rlimit_resource what, rlim_t value) {
  const rlimit both{value, value};
  return ::setrlimit(what, &both) == 0;
}

bool set_limits(bool is_root) {
  // Threads count per user, over all its processes: a limit fits only a user that runs nothing but workers.
  return limit(RLIMIT_CORE, kCoreBytes) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NOFILE, kOpenFiles) &&
         limit(RLIMIT_MEMLOCK, 0) && limit(RLIMIT_MSGQUEUE, 0) &&
         (!is_root || limit(RLIMIT_NPROC, kThreadsOfAllWorkers));
}

bool step_back() {
  errno = 0;
  return ::nice(kNicer) != -1 || errno == 0;
}

bool give_up_root() {
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
         ::setresuid(kNobody, kNobody, kNobody) == 0 && ::setuid(0) != 0;
}

/// The worker dies with the server's thread that started it. The kernel forgets the wish when the user
/// changes, so this comes after that.
bool die_with(pid_t parent) { return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent; }

LauncherExit launch(pid_t parent, rlim_t data_limit, char** node) {
  const bool is_root = ::geteuid() == 0;
  if (::syscall(SYS_close_range, kFirstForeignFile, ~0U, 0) != 0 || ::fcntl(3, F_GETFD) < 0) {
    return LauncherExit::files_failed;
  }
  if (!set_limits(is_root) || !step_back()) return LauncherExit::limits_failed;
  if (is_root && !give_up_root()) return LauncherExit::identity_failed;
  if (!die_with(parent)) return LauncherExit::parent_gone;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return LauncherExit::seccomp_failed;
  if (!restrict_files(node[0])) return LauncherExit::landlock_failed;
  if (!limit(RLIMIT_DATA, data_limit)) return LauncherExit::limits_failed;
  if (!restrict_system_calls()) return LauncherExit::seccomp_failed;
  // One thread for libuv's file work: the program is read once, from descriptor 0.
  char threads[] = "UV_THREADPOOL_SIZE=1";
  // A Node.js that looks for OpenSSL's configuration does not start when it may not read it.
  char openssl[] = "OPENSSL_CONF=/dev/null";
  char* environment[] = {threads, openssl, nullptr};
  ::execve(node[0], node, environment);
  return LauncherExit::exec_failed;
}

}  // namespace
}  // namespace keyturn::server::functions

int main(int argc, char** argv) {
  using keyturn::server::functions::LauncherExit;
  if (argc < 4) return static_cast<int>(LauncherExit::wrong_usage);
  const long parent = std::strtol(argv[1], nullptr, 10);
  const unsigned long long data_limit = std::strtoull(argv[2], nullptr, 10);
  if (parent <= 0 || data_limit == 0) return static_cast<int>(LauncherExit::wrong_usage);
  return static_cast<int>(
      keyturn::server::functions::launch(static_cast<pid_t>(parent), data_limit, argv + 3));
}

// SPDX-License-Identifier: Apache-2.0
#include "server/functions/launcher/syscall_filter.hpp"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <initializer_list>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

namespace keyturn::server::functions {
namespace {

// What Node.js 18 and 20 were seen to use, and a few that a program may need to end in order. execve is here
// because the filter is in place before Node.js is: Landlock leaves it nothing but Node.js to execute.
constexpr auto kAllowed = std::to_array<const char*>({"read",
                                                      "write",
                                                      "readv",
                                                      "writev",
                                                      "pread64",
                                                      "close",
                                                      "fstat",
                                                      "newfstatat",
                                                      "stat",
                                                      "lstat",
                                                      "statx",
                                                      "lseek",
                                                      "access",
                                                      "faccessat",
                                                      "faccessat2",
                                                      "readlink",
                                                      "readlinkat",
                                                      "getcwd",
                                                      "open",
                                                      "openat",
                                                      "fcntl",
                                                      "mmap",
                                                      "munmap",
                                                      "mprotect",
                                                      "mremap",
                                                      "madvise",
                                                      "brk",
                                                      "rt_sigaction",
                                                      "rt_sigprocmask",
                                                      "rt_sigreturn",
                                                      "sigaltstack",
                                                      "futex",
                                                      "sched_yield",
                                                      "sched_getaffinity",
                                                      "set_robust_list",
                                                      "rseq",
                                                      "set_tid_address",
                                                      "arch_prctl",
                                                      "gettid",
                                                      "getpid",
                                                      "getuid",
                                                      "geteuid",
                                                      "getgid",
                                                      "getegid",
                                                      "capget",
                                                      "membarrier",
                                                      "epoll_create1",
                                                      "epoll_ctl",
                                                      "epoll_wait",
                                                      "epoll_pwait",
                                                      "eventfd2",
                                                      "pipe2",
                                                      "getsockname",
                                                      "getsockopt",
                                                      "shutdown",
                                                      "clock_gettime",
                                                      "clock_getres",
                                                      "clock_nanosleep",
                                                      "nanosleep",
                                                      "gettimeofday",
                                                      "getrandom",
                                                      "uname",
                                                      "sysinfo",
                                                      "restart_syscall",
                                                      "exit",
                                                      "exit_group",
                                                      "getdents64",
                                                      "poll",
                                                      "ppoll",
                                                      "execve"});

constexpr auto kDeadly = std::to_array<const char*>({"ptrace",
                                                     "bpf",
                                                     "mount",
                                                     "umount2",
                                                     "move_mount",
                                                     "fsopen",
                                                     "pivot_root",
                                                     "keyctl",
                                                     "add_key",
                                                     "request_key",
                                                     "unshare",
                                                     "setns",
                                                     "process_vm_readv",
                                                     "process_vm_writev",
                                                     "userfaultfd",
                                                     "perf_event_open",
                                                     "init_module",
                                                     "finit_module",
                                                     "kexec_load",
                                                     "open_by_handle_at"});

bool add(scmp_filter_ctx filter, std::uint32_t action, const char* name,
         std::initializer_list<scmp_arg_cmp> conditions = {}) {
  const int number = ::seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR || number < 0) return true;  // this architecture has none of that name
  return ::seccomp_rule_add_array(filter, action, number, static_cast<unsigned>(conditions.size()),
                                  conditions.begin()) == 0;
}

scmp_arg_cmp is(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }

bool add_conditional(scmp_filter_ctx filter) {
  for (const int request : {FIONBIO, TCGETS, TIOCGWINSZ, FIOCLEX, FIONCLEX}) {
    if (!add(filter, SCMP_ACT_ALLOW, "ioctl", {is(1, static_cast<std::uint64_t>(request))})) return false;
  }
  // Threads of this process only: no new process, no namespace.
  constexpr std::uint64_t kThread =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                        CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
  const scmp_arg_cmp threads_only{0, SCMP_CMP_MASKED_EQ, kThread | kNamespaces, kThread};
  if (!add(filter, SCMP_ACT_ALLOW, "clone", {threads_only})) return false;
  for (const std::uint64_t option :
       {std::uint64_t{PR_SET_NAME}, std::uint64_t{PR_GET_NAME}, std::uint64_t{PR_SET_VMA}}) {
    if (!add(filter, SCMP_ACT_ALLOW, "prctl", {is(0, option)})) return false;
  }
  // execve keeps the process id, so it is known already.
  const auto self = static_cast<std::uint64_t>(::getpid());
  return add(filter, SCMP_ACT_ALLOW, "prlimit64", {is(0, 0), is(2, 0)}) &&
         add(filter, SCMP_ACT_ALLOW, "prlimit64", {is(0, self), is(2, 0)}) &&
         add(filter, SCMP_ACT_ALLOW, "tgkill", {is(0, self), is(2, SIGABRT)}) &&
         // libc falls back to clone, whose flags a filter can read.
         add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3") &&
         add(filter, SCMP_ACT_ERRNO(ENOSYS), "io_uring_setup");
}

bool fill(scmp_filter_ctx filter) {
  for (const char* name : kAllowed) {
    if (!add(filter, SCMP_ACT_ALLOW, name)) return false;
  }
  for (const char* name : kDeadly) {
    if (!add(filter, SCMP_ACT_KILL_PROCESS, name)) return false;
  }
  return add_conditional(filter) &&
         ::seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
         ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
}

}  // namespace

bool restrict_system_calls() {
  const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return false;
  const bool done = fill(filter) && ::seccomp_load(filter) == 0;
  ::seccomp_release(filter);
  return done;
}

}  // namespace keyturn::server::functions

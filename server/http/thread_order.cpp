// SPDX-License-Identifier: Apache-2.0
#include "server/http/thread_order.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace keyturn::server::http {
namespace {

constexpr std::uint64_t kShortestSliceNanoseconds = 100'000;  // the kernel takes no less

/// What sched_setattr(2) reads, in its first form: libc 2.36 names neither the call nor the structure.
struct Scheduling {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;
  std::uint64_t deadline;
  std::uint64_t period;
};
static_assert(sizeof(Scheduling) == 48);

}  // namespace

void answer_promptly() noexcept {
  Scheduling now{};
  now.size = sizeof now;
  if (::syscall(SYS_sched_getattr, 0, &now, sizeof now, 0U) != 0) return;
  if (now.policy != SCHED_OTHER) return;  // whoever chose another one knows better
  now.size = sizeof now;
  now.flags = 0;
  now.runtime = kShortestSliceNanoseconds;
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &now, 0U));
}

void step_back(int steps) noexcept {
  // On Linux 0 is the calling thread alone.
  const int now = ::getpriority(PRIO_PROCESS, 0);
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, now + steps));
}

}  // namespace keyturn::server::http

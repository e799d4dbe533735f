// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace keyturn::faults {

/// A loopback network of the calling thread and of those it starts, whose packets can be lost for real: by
/// the packet filter of the kernel, or with the link. The machine's own network is not touched.
///
/// Thread safety: the thread that made it. Lifetime: it ends after all that has sockets in it.
class NetworkNamespace {
 public:
  NetworkNamespace() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (before_ < 0 || ::unshare(CLONE_NEWNET) != 0) {
      why_not_ = std::string("a network name space of its own is not allowed here: ") + std::strerror(errno);
      return;
    }
    entered_ = true;
    if (!set_link(true)) why_not_ = "the loopback link cannot be set";
    if (!filter("accept"))
      why_not_ = "the nft program is not there, or cannot set a filter; script/bootstrap installs it";
  }
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;
  ~NetworkNamespace() {
    if (entered_) ::setns(before_, CLONE_NEWNET);
    if (before_ >= 0) ::close(before_);
  }

  /// Empty, or why there is none.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

  /// Each packet is lost with that chance, in either direction.
  bool lose(int percent) {
    return filter("numgen random mod 100 < " + std::to_string(percent) + " counter drop");
  }
  bool lose_everything() { return filter("counter drop"); }
  /// Each packet is answered with a reset, but for the resets themselves.
  bool reject() { return filter("tcp flags & rst == 0 reject with tcp reset"); }
  bool heal() { return filter("accept") && set_link(true); }
  bool set_link(bool up) {
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq wanted{};
    std::snprintf(wanted.ifr_name, sizeof wanted.ifr_name, "lo");
    wanted.ifr_flags = static_cast<short>(up ? IFF_UP : 0);
    const bool done = any >= 0 && ::ioctl(any, SIOCSIFFLAGS, &wanted) == 0;
    ::close(any);
    return done;
  }

 private:
  /// The one rule for what arrives; on the way out a sender would learn of the loss.
  static bool filter(const std::string& rule) {
    std::FILE* const program = ::popen("nft -f - 2>/dev/null", "we");
    if (program == nullptr) return false;
    const std::string rules =
        "flush ruleset\ntable ip faults {\nchain arriving {\ntype filter hook input priority 0;\n" + rule +
        "\n}\n}\n";
    std::fputs(rules.c_str(), program);
    return ::pclose(program) == 0;
  }

  int before_ = -1;
  bool entered_ = false;
  std::string why_not_;
};

}  // namespace keyturn::faults

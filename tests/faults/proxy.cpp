// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace keyturn::faults {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int connect_to(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  ::close(descriptor);
  return -1;
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

struct FaultProxy::Link {
  int client = -1;
  int server = -1;
  int second_server = -1;  ///< Of `Fault::duplicate`; its answers are thrown away.
  std::string held;        ///< On its way back.
  BootTime held_until{};
  bool over = false;
};

int port_of(const std::string& base_url) { return std::stoi(base_url.substr(base_url.rfind(':') + 1)); }

FaultProxy::FaultProxy(int server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error("no port for a proxy");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

FaultProxy::~FaultProxy() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(listener_);
  ::close(wake_);
}

void FaultProxy::set(const Fault& fault) {
  {
    const std::scoped_lock lock(mutex_);
    wanted_ = fault;
    changed_ = true;
    has_cut_ = false;
    connections_ = 0;
  }
  ::eventfd_write(wake_, 1);
  for (;;) {  // the thread answers within its next turn
    {
      const std::scoped_lock lock(mutex_);
      if (!changed_) return;
    }
    std::this_thread::yield();
  }
}

bool FaultProxy::has_cut() const {
  const std::scoped_lock lock(mutex_);
  return has_cut_;
}

int FaultProxy::connections() const {
  const std::scoped_lock lock(mutex_);
  return connections_;
}

void FaultProxy::run() {
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) break;
      if (changed_) {
        for (Link& link : links_) end(link, false);
        links_.clear();
        fault_ = wanted_;
        sent_ = received_ = 0;
        changed_ = false;
      }
    }
    std::vector<pollfd> watched{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    bool waiting = false;
    for (const Link& link : links_) {
      watched.push_back({link.client, POLLIN, 0});
      watched.push_back({link.held.empty() ? link.server : -1, POLLIN, 0});
      waiting = waiting || !link.held.empty();
    }
    ::poll(watched.data(), watched.size(), waiting ? 1 : 1'000);
    std::size_t at = 2;
    for (Link& link : links_) {
      if (watched[at].revents != 0) relay(link, true);
      if (!link.over && watched[at + 1].revents != 0) relay(link, false);
      if (!link.over && !link.held.empty()) release(link);
      at += 2;
    }
    links_.remove_if([](const Link& link) { return link.over; });
    eventfd_t unused = 0;
    if (watched[1].revents != 0) ::eventfd_read(wake_, &unused);
    if (watched[0].revents != 0) accept_one();
  }
  for (Link& link : links_) end(link, false);
}

void FaultProxy::accept_one() {
  Link link;
  link.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (link.client < 0) return;
  const int now = 1;
  ::setsockopt(link.client, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
  {
    const std::scoped_lock lock(mutex_);
    if (changed_) {  // it belongs to what comes next, which closes all that went before
      ::close(link.client);
      return;
    }
    ++connections_;
  }
  if (fault_.refuse) {
    ::close(link.client);
    return;
  }
  if (!fault_.black_hole) {
    link.server = connect_to(server_port_);
    if (fault_.duplicate) link.second_server = connect_to(server_port_);
    if (link.server < 0) {
      end(link, false);
      return;
    }
  }
  links_.push_back(std::move(link));
}

// Passes on what one side has to say, up to the byte of a cut.
void FaultProxy::relay(Link& link, bool to_server) {
  std::array<char, 16'384> bytes;
  const ssize_t got = ::recv(to_server ? link.client : link.server, bytes.data(), bytes.size(), 0);
  if (got <= 0) {
    end(link, false);
    return;
  }
  if (fault_.black_hole) return;
  std::string_view passing(bytes.data(), static_cast<std::size_t>(got));
  std::optional<std::size_t>& cut = to_server ? fault_.cut_request : fault_.cut_response;
  std::size_t& passed = to_server ? sent_ : received_;
  const bool cutting = cut && passed + passing.size() >= *cut;
  if (cutting) passing = passing.substr(0, *cut - passed);
  passed += passing.size();
  if (to_server) {
    if (link.second_server >= 0) write_all(link.second_server, passing);
    if (!write_all(link.server, passing)) end(link, false);
  } else if (fault_.delay.count() > 0 || fault_.drip.count() > 0) {
    link.held = passing;
    link.held_until = system_clock().boot_now() + fault_.delay;
  } else if (!write_all(link.client, passing)) {
    end(link, false);
  }
  if (!cutting) return;
  cut.reset();
  {
    const std::scoped_lock lock(mutex_);
    has_cut_ = true;  // before anybody can notice
  }
  end(link, fault_.reset);
}

void FaultProxy::release(Link& link) {
  const BootTime now = system_clock().boot_now();
  if (now < link.held_until) return;
  const bool drips = fault_.drip.count() > 0;
  const std::size_t size = drips ? 1 : link.held.size();
  if (!write_all(link.client, std::string_view(link.held).substr(0, size))) end(link, false);
  link.held.erase(0, size);
  if (drips) link.held_until = now + fault_.drip;
}

void FaultProxy::end(Link& link, bool with_reset) {
  for (int* const descriptor : {&link.client, &link.server, &link.second_server}) {
    if (*descriptor < 0) continue;
    const linger now{1, 0};
    if (with_reset) ::setsockopt(*descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(*descriptor);
    *descriptor = -1;
  }
  link.over = true;
}

}  // namespace keyturn::faults

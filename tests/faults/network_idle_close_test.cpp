// SPDX-License-Identifier: Apache-2.0
// Row B-29: a server that closes a kept connection in the moment when the next request is on its way.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <iostream>
#include <list>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/faults/network_rig.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

/// How a connection ends that was used once or more.
enum class Closing { after_the_answer, a_moment_after, on_the_request, unread_by_reset, by_reset };
constexpr int kClosings = 5;

/// Answers refreshes and other requests, and closes each connection in one of the ways above after some of
/// them. A request that is not answered was not worked on.
class ClosingServer {
 public:
  ClosingServer()
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), wake_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
      throw std::runtime_error("no port for a server");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ClosingServer(const ClosingServer&) = delete;
  ClosingServer& operator=(const ClosingServer&) = delete;
  ~ClosingServer() {
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(listener_);
    ::close(wake_);
  }

  [[nodiscard]] std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  std::atomic<int> refreshes = 0;  ///< Worked on and answered.
  std::atomic<int> others = 0;
  std::array<std::atomic<int>, kClosings> closed{};

 private:
  struct Peer {
    int descriptor;
    Closing closing;
    int uses;  ///< Answers that it gives before it closes.
    std::string buffer{};
  };

  void run() {
    for (;;) {
      std::vector<pollfd> watched{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
      for (const Peer& peer : peers_) watched.push_back({peer.descriptor, POLLIN, 0});
      ::poll(watched.data(), watched.size(), 1'000);
      if (watched[1].revents != 0) break;
      auto peer = peers_.begin();
      for (std::size_t i = 2; i < watched.size(); ++i) {
        const bool over = watched[i].revents != 0 && !serve(*peer);
        peer = over ? peers_.erase(peer) : std::next(peer);
      }
      if (watched[0].revents != 0) accept_one();
    }
    for (const Peer& peer : peers_) ::close(peer.descriptor);
  }

  void accept_one() {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int now = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    peers_.push_back(
        {descriptor, static_cast<Closing>(random_() % kClosings), 1 + static_cast<int>(random_() % 3)});
  }

  // False: the connection is closed.
  bool serve(Peer& peer) {
    if (peer.uses == 0 && peer.closing == Closing::unread_by_reset) return end(peer);
    char bytes[4096];
    const ssize_t got = ::recv(peer.descriptor, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ::close(peer.descriptor);
      return false;
    }
    if (peer.uses == 0) return end(peer);
    peer.buffer.append(bytes, static_cast<std::size_t>(got));
    if (peer.buffer.find("\r\n\r\n") == std::string::npos) return true;
    const bool refresh = peer.buffer.starts_with("POST " + std::string(kSessionPath));
    peer.buffer.clear();
    ++(refresh ? refreshes : others);
    const std::string body =
        R"({"access_token":"eyJhbGciOiJub25lIn0.e30.)" + std::to_string(refreshes) + R"("})";
    const std::string answer = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body;
    ::send(peer.descriptor, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (--peer.uses > 0) return true;
    if (peer.closing == Closing::after_the_answer) return end(peer);
    if (peer.closing == Closing::a_moment_after) {
      const BootTime end_at = system_clock().boot_now() + std::chrono::microseconds(random_() % 400);
      while (system_clock().boot_now() < end_at) {
      }
      return end(peer);
    }
    return true;
  }

  bool end(const Peer& peer) {
    const linger now{1, 0};
    if (peer.closing == Closing::by_reset)
      ::setsockopt(peer.descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(peer.descriptor);
    ++closed[static_cast<std::size_t>(peer.closing)];
    return false;
  }

  int listener_ = -1;
  int wake_ = -1;
  int port_ = 0;
  std::mt19937 random_{seed()};
  std::list<Peer> peers_;
  std::thread thread_;
};

TEST(NetworkIdleClose, CostsNoErrorAndNoSecondRefresh) {
  const int requests = full_size() ? 100'000 : 2'000;
  ClosingServer server;
  const sdk::MemoryTokenStores stores;
  ASSERT_TRUE(stores.open()->put(ada("first"), true));
  Device device(server.base_url(), stores.open());
  const auto user = device.manager->current();
  ASSERT_NE(user, nullptr);
  int refreshes = 0;
  int others = 0;
  for (int i = 0; i < requests; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed()) + ", request " + std::to_string(i));
    if (i % 4 != 3) {
      const auto done = device.manager->refresh(user).result();
      ASSERT_TRUE(done) << done.error().message;
      ASSERT_EQ(server.refreshes, ++refreshes) << "the server worked on it twice";
    } else {
      const auto answer =
          device.manager->request(user, {.method = i % 8 == 3 ? "GET" : "DELETE", .url = "/thing"}).result();
      ASSERT_TRUE(answer) << answer.error().message;
      ASSERT_EQ(server.others, ++others);
    }
  }
  for (std::size_t i = 0; i < kClosings; ++i) EXPECT_GT(server.closed[i], requests / 50) << "way " << i;
  std::cout << requests << " requests, connections closed after an answer " << server.closed[0]
            << ", a moment later " << server.closed[1] << ", on the next request " << server.closed[2]
            << ", on it unread " << server.closed[3] << ", by reset " << server.closed[4] << "\n";
}

}  // namespace
}  // namespace keyturn::faults

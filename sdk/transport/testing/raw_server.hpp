// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace keyturn::sdk {

/// The server's end of one connection, byte by byte. The socket is closed by `RawServer`.
class RawPeer {
 public:
  explicit RawPeer(int descriptor) : descriptor_(descriptor) {}

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Head and body of the next request; empty when the peer is gone.
  std::string read_request() {
    for (;;) {
      const std::size_t head_end = buffer_.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        const std::size_t end = head_end + 4 + length_in(buffer_.substr(0, head_end + 2));
        if (buffer_.size() >= end) {
          std::string request = buffer_.substr(0, end);
          buffer_.erase(0, end);
          return request;
        }
      }
      char bytes[4096];
      const ssize_t got = recv(descriptor_, bytes, sizeof bytes, 0);
      if (got <= 0) return "";
      buffer_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  /// Lets so much time pass; false when the peer is gone before.
  bool idle(std::chrono::milliseconds time) {
    pollfd watched{.fd = descriptor_, .events = POLLRDHUP, .revents = 0};
    return poll(&watched, 1, static_cast<int>(time.count())) == 0;
  }
  /// The next close sends a reset instead of an end.
  void reset_on_close() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  static std::size_t length_in(const std::string& head) {
    constexpr std::string_view kName = "Content-Length: ";
    const std::size_t at = head.find(kName);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + kName.size()));
  }

  int descriptor_;
  std::string buffer_;
};

/// A listener on 127.0.0.1 that gives every connection to a script, on a thread of its own, and closes it
/// after.
class RawServer {
 public:
  using Script = std::function<void(RawPeer&)>;

  explicit RawServer(Script script)
      : script_(std::move(script)), descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(descriptor_, generic, size) != 0 || listen(descriptor_, SOMAXCONN) != 0 ||
        getsockname(descriptor_, generic, &size) != 0)
      throw std::runtime_error("no port for a raw server");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer() {
    shutdown(descriptor_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::scoped_lock lock(mutex_);
      for (const int peer : open_) shutdown(peer, SHUT_RDWR);
    }
    for (std::thread& each : peers_) each.join();
    close(descriptor_);
  }

  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] int connections() const noexcept { return connections_; }

 private:
  void accept_all() {
    for (;;) {
      const int peer = accept(descriptor_, nullptr, nullptr);
      if (peer < 0) return;
      ++connections_;
      {
        const std::scoped_lock lock(mutex_);
        open_.push_back(peer);
      }
      peers_.emplace_back([this, peer] {
        RawPeer raw(peer);
        script_(raw);
        const std::scoped_lock lock(mutex_);
        std::erase(open_, peer);
        close(peer);
      });
    }
  }

  Script script_;
  int descriptor_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> peers_;
  std::thread acceptor_;
};

}  // namespace keyturn::sdk

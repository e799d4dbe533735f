// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/clock.hpp>

#include "core/protocol/request_handler.hpp"
#include "server/http/listener.hpp"

// A listener on a free port of the loopback, and clients that send raw bytes.
namespace keyturn::server::http {

using std::chrono::milliseconds;

/// Answers with what it got, in the lane that the path names.
class EchoHandler final : public protocol::RequestHandler {
 public:
  [[nodiscard]] protocol::Plan plan(std::string_view, std::string_view target) const noexcept override {
    protocol::Plan plan;
    if (target.starts_with("/storage")) plan.lane = protocol::Lane::storage;
    if (target.starts_with("/password")) plan.lane = protocol::Lane::password;
    if (target.starts_with("/function")) plan.lane = protocol::Lane::function;
    // "/function/12": app 1, its caller 2.
    if (target.starts_with("/function/")) plan.share = {std::uint64_t(target[10]), std::uint64_t(target[11])};
    plan.max_body_bytes = 65'536;
    return plan;
  }
  void handle(HttpRequest request, protocol::Respond respond) override {
    ++handled;
    if (on_request) {
      on_request(std::move(request), std::move(respond));
      return;
    }
    respond(HttpResponse{200, {{"X-Method", request.method}}, request.url + "|" + request.body});
  }
  void handle_from(const protocol::ClientAddress& client, HttpRequest request,
                   protocol::Respond respond) override {
    if (on_client) on_client(client);
    handle(std::move(request), std::move(respond));
  }
  [[nodiscard]] HttpResponse refuse(int status, std::string_view why, const HttpRequest&) override {
    return {status, {{"Content-Type", "application/json"}}, "refused: " + std::string(why)};
  }

  std::function<void(HttpRequest, protocol::Respond)> on_request;
  std::function<void(const protocol::ClientAddress&)> on_client;
  std::atomic<int> handled{0};
};

/// A raw connection. Every read ends by itself after five seconds.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  Client(const Client&) = delete;
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }
  [[nodiscard]] bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_of_sending() { ::shutdown(socket_, SHUT_WR); }

  /// Some more bytes; empty at the end of the connection or after the time.
  std::string read_some(int timeout_ms = 5'000) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, timeout_ms) <= 0) return {};
    char bytes[65'536];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    closed_ = size <= 0;
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
  }
  /// One response with a Content-Length, header and body.
  std::string response() {
    for (;;) {
      const std::size_t blank = held_.find("\r\n\r\n");
      if (blank != std::string::npos) {
        const std::size_t at = held_.find("Content-Length: ");
        const std::size_t length = at < blank ? std::stoul(held_.substr(at + 16)) : 0;
        if (held_.size() >= blank + 4 + length) {
          std::string whole = held_.substr(0, blank + 4 + length);
          held_.erase(0, whole.size());
          return whole;
        }
      }
      const std::string more = read_some();
      if (more.empty()) return held_;
      held_ += more;
    }
  }
  /// Everything until the server closes.
  std::string rest() {
    for (;;) {
      const std::string more = read_some();
      if (more.empty()) return std::exchange(held_, {});
      held_ += more;
    }
  }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  int socket_;
  bool connected_ = false;
  bool closed_ = false;
  std::string held_;
};

class ListenerTest : public ::testing::Test {
 protected:
  void start(ListenerOptions options = {}) {
    listener.emplace(handler, system_clock(), std::move(options));
    const Result<void> started = listener->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  Client client() { return Client(listener->local_port()); }
  std::string exchange(std::string_view bytes) {
    Client c = client();
    c.send(bytes);
    std::string answer = c.response();
    if (!c.rest().empty()) answer += " AND MORE";
    return answer;
  }

  EchoHandler handler;
  std::optional<Listener> listener;
};

inline std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

}  // namespace keyturn::server::http

// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/http_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>

namespace keyturn::testing {
namespace {

constexpr std::size_t kMostBytes = std::size_t{32} * 1024 * 1024;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 2, text.size()));
  return line;
}

}  // namespace

ListeningSocket::ListeningSocket() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (descriptor_ < 0 || bind(descriptor_, generic, size) != 0 || listen(descriptor_, SOMAXCONN) != 0 ||
      getsockname(descriptor_, generic, &size) != 0) {
    throw std::runtime_error("no port for a scripted server");
  }
  port_ = ntohs(address.sin_port);
}

ListeningSocket::~ListeningSocket() { close(descriptor_); }

std::optional<int> ListeningSocket::accept_one() const {
  for (;;) {
    const int connection = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) return connection;
    if (errno != ECONNABORTED && errno != EINTR) return std::nullopt;  // a peer that gave up is no end
  }
}

void ListeningSocket::shut_down() noexcept { shutdown(descriptor_, SHUT_RDWR); }

Connection::~Connection() { close(descriptor_); }

void Connection::shut_down() noexcept { shutdown(descriptor_, SHUT_RDWR); }

bool Connection::read_more() {
  char bytes[16 * 1024];
  const ssize_t got = recv(descriptor_, bytes, sizeof bytes, 0);
  if (got <= 0 || buffer_.size() > kMostBytes) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<RecordedRequest> Connection::read_request() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return std::nullopt;
  }
  RecordedRequest request;
  std::string_view head = std::string_view(buffer_).substr(0, end + 2);
  const std::string_view first = take_line(head);
  const std::size_t method_end = first.find(' ');
  const std::size_t target_end = first.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end) return std::nullopt;
  request.method = first.substr(0, method_end);
  request.path = first.substr(method_end + 1, target_end - method_end - 1);
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    request.headers.emplace_back(line.substr(0, colon),
                                 value == std::string_view::npos ? "" : line.substr(value));
  }
  std::size_t length = 0;
  if (const auto text = find_header(request.headers, "Content-Length")) {
    std::from_chars(text->data(), text->data() + text->size(), length);
  }
  const std::size_t body_at = end + 4;
  while (buffer_.size() < body_at + length) {
    if (!read_more()) return std::nullopt;
  }
  request.body = buffer_.substr(body_at, length);
  buffer_.erase(0, body_at + length);
  return request;
}

bool Connection::write_response(const ScriptedResponse& response) {
  std::string bytes = "HTTP/1.1 " + std::to_string(response.status) + " Scripted\r\n";
  for (const auto& [name, value] : response.headers)
    bytes.append(name).append(": ").append(value).append("\r\n");
  if (!response.body.empty() && !find_header(response.headers, "Content-Type"))
    bytes += "Content-Type: application/json\r\n";
  if (response.status != 204 && !response.stream && !find_header(response.headers, "Content-Length")) {
    bytes += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  }
  bytes += "\r\n" + response.body;
  if (response.cut_after) bytes.resize(std::min(bytes.size(), *response.cut_after));
  return write(bytes) && !response.cut_after;
}

bool Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::is_there() const {
  pollfd watched{descriptor_, POLLRDHUP, 0};
  return poll(&watched, 1, 0) == 0;
}

}  // namespace keyturn::testing

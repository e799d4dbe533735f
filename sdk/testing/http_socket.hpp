// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/testing.hpp>

// The one file of this folder that knows POSIX sockets: enough HTTP/1.1 for one client at a time on each
// connection.
namespace keyturn::testing {

/// A listening socket on a free port of 127.0.0.1. Thread safety: `shut_down` from any thread.
class ListeningSocket {
 public:
  ListeningSocket();
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The next connection; nothing after `shut_down`.
  [[nodiscard]] std::optional<int> accept_one() const;
  void shut_down() noexcept;

 private:
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

/// A connection. Thread safety: `shut_down` from any thread.
class Connection {
 public:
  explicit Connection(int descriptor) noexcept : descriptor_(descriptor) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// The next request; nothing when the peer is gone or speaks something else.
  [[nodiscard]] std::optional<RecordedRequest> read_request();
  /// False when the peer is gone or the answer was cut on purpose.
  bool write_response(const ScriptedResponse& response);
  bool write(std::string_view bytes);
  /// False when the peer is gone.
  [[nodiscard]] bool is_there() const;
  void shut_down() noexcept;

 private:
  bool read_more();

  int descriptor_;
  std::string buffer_;
};

}  // namespace keyturn::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <keyturn/base/clock.hpp>

namespace keyturn::faults {

/// What a `FaultProxy` does to what passes it.
struct Fault {
  /// Both ends are closed once so many bytes went to the server; 0: as soon as one would. Happens once, then
  /// everything passes.
  std::optional<std::size_t> cut_request{};
  /// The same for what comes back.
  std::optional<std::size_t> cut_response{};
  bool reset = false;                  ///< A cut is a reset of the connection, not an end.
  bool black_hole = false;             ///< Connections are taken, and nothing is passed on in either way.
  bool refuse = false;                 ///< Connections are closed as soon as they are made.
  bool duplicate = false;              ///< The server gets everything twice, on a connection of its own.
  std::chrono::milliseconds delay{0};  ///< Before anything goes back.
  std::chrono::milliseconds drip{0};   ///< Between two bytes that go back.
};

/// A relay on 127.0.0.1 in front of a server on the same machine, which spoils connections as a test says.
///
/// Thread safety: all members. Lifetime: the destructor ends every connection and waits for the thread.
class FaultProxy {
 public:
  explicit FaultProxy(int server_port);
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;
  ~FaultProxy();

  [[nodiscard]] std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// From now on; every open connection is closed first. Returns once that is done.
  void set(const Fault& fault);
  /// Nothing is spoiled any more.
  void heal() { set({}); }
  /// A cut has happened since `set`.
  [[nodiscard]] bool has_cut() const;
  /// How many connections were made since `set`.
  [[nodiscard]] int connections() const;

 private:
  struct Link;
  void run();
  void accept_one();
  void relay(Link& link, bool to_server);
  void release(Link& link);
  void end(Link& link, bool with_reset);

  const int server_port_;
  int listener_ = -1;
  int wake_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  Fault wanted_;
  bool changed_ = false;
  bool stopping_ = false;
  bool has_cut_ = false;
  int connections_ = 0;
  // Of the thread alone.
  Fault fault_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  std::list<Link> links_;
  std::thread thread_;
};

/// The port in "http://127.0.0.1:PORT".
[[nodiscard]] int port_of(const std::string& base_url);

}  // namespace keyturn::faults

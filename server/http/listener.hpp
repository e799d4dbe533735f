// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "core/protocol/request_handler.hpp"
#include "server/http/lane_pool.hpp"
#include "server/http/request_head.hpp"

namespace keyturn::server::http {

struct ListenerOptions {
  std::string address = "127.0.0.1";         ///< An IP address.
  std::uint16_t port = 0;                    ///< 0: any free one.
  std::size_t threads = 1;                   ///< I/O threads; each connection belongs to one.
  std::vector<std::string> trusted_proxies;  ///< Addresses whose `X-Forwarded-For` is believed (rule V21).
  std::size_t max_connections = 10'000;

  HeadLimits head;

  // Totals per phase, never per read (rule V18). They are kept to within a fifth of a second.
  std::chrono::milliseconds head_deadline{10'000};
  std::chrono::milliseconds body_deadline{30'000};
  std::chrono::milliseconds write_deadline{30'000};
  std::chrono::milliseconds idle_deadline{75'000};
  std::chrono::milliseconds crowded_idle_deadline{
      5'000};  ///< Instead, when nine tenths of `max_connections` are taken.
  std::chrono::milliseconds answer_deadline{310'000};  ///< Above every limit of those who answer.
  std::chrono::milliseconds linger_deadline{
      1'000};  ///< Reading on before a close, so that a refusal arrives.
  std::chrono::milliseconds drain_deadline{10'000};
  std::chrono::milliseconds drain_idle_deadline{
      250};  ///< A request already on its way when the stop came is answered.

  LaneOptions storage{2, 256, std::chrono::milliseconds{5'000}};
  LaneOptions password{1, 256, std::chrono::milliseconds{5'000}};
  /// As far back as its workers are. It takes four apps to fill it; one caller has a tenth of its threads.
  LaneOptions function{32, 256, std::chrono::milliseconds{10'000}, 10, {8, 192}, {3, 128}};
};

/// An HTTP/1.1 server (RFC 9112): reads requests within limits and deadlines, gives them to the handler in
/// their lane, and writes the answers in order.
///
/// Thread safety: `start` and `stop` from one thread; `local_port` from any. Lifetime: the handler and the
/// clock must outlive it. Answers that come after `stop` has returned are dropped.
class Listener {
 public:
  Listener(protocol::RequestHandler& handler, Clock& clock, ListenerOptions options);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  /// Stops.
  ~Listener();

  /// Binds, and serves from then on. Errors: `InvalidConfiguration` with one clear line (address, port in
  /// use).
  Result<void> start();
  /// The port that was bound.
  [[nodiscard]] std::uint16_t local_port() const noexcept;
  /// Connections open now.
  [[nodiscard]] std::size_t connections() const noexcept;

  /// Accepts no more, answers what is under way until the drain deadline, then closes everything.
  void stop();

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace keyturn::server::http

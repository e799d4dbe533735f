// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>

#include "core/protocol/request_handler.hpp"
#include "server/http/request_head.hpp"
#include "server/http/shard.hpp"

namespace keyturn::server::http {

/// Where an answer waits for its connection, whichever thread brings it. Thread safety: `put` from any
/// thread.
class AnswerBox : public std::enable_shared_from_this<AnswerBox> {
 public:
  AnswerBox(std::weak_ptr<Connection> connection, std::shared_ptr<ShardGate> gate)
      : connection_(std::move(connection)), gate_(std::move(gate)) {}

  /// Gives the answer; only the first counts.
  void put(protocol::Reply reply);
  /// True: the answer is there. False: the connection will be woken when it comes. I/O thread.
  [[nodiscard]] bool ready_or_wake_me() noexcept;
  [[nodiscard]] bool ready() const noexcept { return state_.load(std::memory_order_acquire) == kReady; }
  [[nodiscard]] HttpResponse& response() noexcept { return response_; }
  [[nodiscard]] std::unique_ptr<protocol::BodyStream> take_stream() noexcept { return std::move(stream_); }
  /// Makes ready for the next request; only when nobody else holds the box.
  void reset() noexcept;

 private:
  static constexpr int kEmpty = 0;
  static constexpr int kWaiting = 1;
  static constexpr int kReady = 2;

  std::weak_ptr<Connection> connection_;
  std::shared_ptr<ShardGate> gate_;
  std::atomic<int> state_{kEmpty};
  std::atomic<bool> given_{false};
  HttpResponse response_;
  std::unique_ptr<protocol::BodyStream> stream_;
};

/// One client's connection: requests in, answers out, in order. Lives on its shard's thread only.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shard& shard, boost::asio::ip::tcp::socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  static void start(std::shared_ptr<Connection> connection);

  /// An answer, or more of a stream, has come.
  void wake();
  void check_deadline(BootTime now, bool crowded);
  /// The server is about to stop: the answer under way is the last.
  void drain();

  std::size_t slot = 0;  ///< Place in the shard's list.
  bool is_listed = false;

 private:
  enum class Phase { idle, head, body, answer, write, stream, linger };
  enum class BodyOutcome { complete, closed, timed_out, invalid, too_large };

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<BodyOutcome> read_body(std::size_t max_body_bytes);
  boost::asio::awaitable<bool> write_rest(std::size_t already_sent, bool body_follows);
  /// Sends a body as it comes into being, until it has ended, the peer is gone or the server stops. False:
  /// the connection is of no more use.
  boost::asio::awaitable<bool> send_stream();
  boost::asio::awaitable<bool> write_all();
  /// Notices when the peer leaves while there is nothing to send.
  void watch_peer();
  boost::asio::awaitable<void> linger();

  void enter(Phase phase);
  void dispatch(const protocol::Plan& plan);
  void refuse(int status, std::string_view why);
  /// Tries to send at once. True: everything has gone.
  bool send_now(std::size_t& sent, bool& failed, bool& body_follows);
  [[nodiscard]] std::string_view unread() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }
  boost::asio::mutable_buffer room();
  void consume(std::size_t size) noexcept;

  Shard& shard_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer woken_;
  HeadParser parser_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::shared_ptr<AnswerBox> box_;
  HttpResponse refusal_;
  HttpResponse* response_ = nullptr;
  ResponseForm form_;
  std::string out_;
  std::unique_ptr<protocol::BodyStream> stream_;
  BootTime deadline_{};
  BootTime idle_since_{};
  Phase phase_ = Phase::idle;
  bool timed_out_ = false;
  bool draining_ = false;
  bool woken_for_stream_ = false;
  std::string peer_;  ///< Its address.
  bool peer_gone_ = false;
};

}  // namespace keyturn::server::http

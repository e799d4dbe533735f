// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "core/protocol/request_handler.hpp"
#include "server/http/lane_pool.hpp"
#include "server/http/listener.hpp"
#include "server/http/response_writer.hpp"

namespace keyturn::server::http {

class Connection;
class Shard;

/// The way back to a shard for threads that may outlive it. Thread safety: all members.
class ShardGate {
 public:
  /// Throws `std::system_error` when there is no descriptor left.
  explicit ShardGate(Shard& shard);
  ShardGate(const ShardGate&) = delete;
  ShardGate& operator=(const ShardGate&) = delete;
  ~ShardGate();
  /// Runs `f` on the shard's thread, or drops it when the shard has gone.
  void post(std::function<void()> f);
  void close();

  /// Readable once something was posted by another thread.
  [[nodiscard]] int bell() const noexcept { return bell_; }
  /// For the shard's thread: what was posted by others since the last call.
  [[nodiscard]] std::vector<std::function<void()>> take();

 private:
  const int bell_;
  std::mutex mutex_;
  Shard* shard_;
  std::vector<std::function<void()>> posted_;
};

/// What all shards of a listener share.
struct ServerContext {
  protocol::RequestHandler& handler;
  Clock& clock;
  const ListenerOptions& options;
  LanePool& storage;
  LanePool& password;
  LanePool& function;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> draining{false};
};

/// One I/O thread's connections. Everything here happens on that thread, so that nothing needs a lock.
class Shard {
 public:
  /// `is_first`: the one that does what is done once for all.
  Shard(ServerContext& shared, bool is_first);

  [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] ServerContext& shared() noexcept { return shared_; }
  [[nodiscard]] const std::shared_ptr<ShardGate>& gate() const noexcept { return gate_; }
  [[nodiscard]] DateHeader& date() noexcept { return date_; }

  /// When a phase that starts now and may take that long ends. Costs no clock.
  [[nodiscard]] BootTime deadline_after(std::chrono::milliseconds limit) const noexcept;

  void enter(Connection& connection);
  void leave(Connection& connection);

  /// Begins to watch deadlines and to hear what is posted, until the shard has drained.
  void start();
  /// No new requests; connections close as they become idle.
  void drain();

 private:
  void sweep();
  void schedule_sweep();
  void listen_to_bell();

  ServerContext& shared_;
  const bool is_first_;
  std::vector<Connection*> connections_;  // outlives io_, whose end destroys what is left of them
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  std::shared_ptr<ShardGate> gate_;
  boost::asio::posix::stream_descriptor bell_;
  DateHeader date_;
  std::chrono::milliseconds tick_;
  BootTime coarse_now_;
  BootTime drain_until_{};
  bool draining_ = false;
};

}  // namespace keyturn::server::http

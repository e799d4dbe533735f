// SPDX-License-Identifier: Apache-2.0
#include "server/http/listener.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/thread_name.hpp"
#include "server/http/connection.hpp"
#include "server/http/shard.hpp"
#include "server/http/thread_order.hpp"

namespace keyturn::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kBacklog = 4'096;
constexpr std::chrono::milliseconds kPauseAfterFault{
    50};  // no file descriptors, or as many connections as allowed

}  // namespace

class Listener::Server {
 public:
  Server(protocol::RequestHandler& handler, Clock& clock, ListenerOptions options)
      : options_(std::move(options)),
        storage_("lane-storage", options_.storage, clock),
        password_("lane-password", options_.password, clock),
        function_("lane-function", options_.function, clock),
        shared_{handler, clock, options_, storage_, password_, function_} {
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.threads, 1); ++i) {
      shards_.push_back(std::make_unique<Shard>(shared_, i == 0));
    }
    acceptor_.emplace(shards_[0]->io());
    pause_.emplace(shards_[0]->io());
  }

  ~Server() { stop(); }

  Result<void> start() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) return failure("invalid address", error);
    const tcp::endpoint endpoint(address, options_.port);
    acceptor_->open(endpoint.protocol(), error);
    if (error) return failure("cannot listen", error);
    acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    acceptor_->set_option(tcp::no_delay(true), error);  // Linux hands it on to every accepted socket
    acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kBacklog, error);
    if (!error) acceptor_->non_blocking(true, error);
    if (error) return failure("cannot listen", error);
    port_ = acceptor_->local_endpoint(error).port();

    accept_next();
    for (const auto& shard : shards_) {
      shard->start();
      threads_.emplace_back([&io = shard->io()] {
        name_thread("http");
        answer_promptly();
        io.run();
      });
    }
    return {};
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::size_t connections() const noexcept { return shared_.connections.load(); }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    shared_.draining = true;
    if (!threads_.empty()) {
      asio::post(shards_[0]->io(), [this] { stop_accepting(); });
      for (std::thread& thread : threads_) thread.join();
    }
    storage_.stop();
    password_.stop();
    function_.stop();
    for (const auto& shard : shards_) shard->gate()->close();
    acceptor_.reset();
    pause_.reset();
    shards_.clear();
  }

 private:
  [[nodiscard]] Error failure(const std::string& what, const boost::system::error_code& error) const {
    return Error(ErrorCode::InvalidConfiguration, what + " on " + options_.address + ":" +
                                                      std::to_string(options_.port) + ": " + error.message());
  }

  void accept_next() {
    if (shared_.connections.load(std::memory_order_relaxed) >= options_.max_connections) {
      pause();
      return;
    }
    Shard& shard = *shards_[next_++ % shards_.size()];
    acceptor_->async_accept(shard.io(),
                            [this, &shard](const boost::system::error_code& error, tcp::socket socket) {
                              if (!acceptor_->is_open()) return;
                              if (error) {
                                // A client that left at once is no fault; a lack of descriptors is one that
                                // passes.
                                if (error == asio::error::connection_aborted) {
                                  accept_next();
                                } else {
                                  pause();
                                }
                                return;
                              }
                              adopt(shard, std::move(socket));
                              accept_next();
                            });
  }

  void adopt(Shard& shard, tcp::socket socket) {
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    auto connection = std::make_shared<Connection>(shard, std::move(socket));
    if (&shard == shards_[0].get()) {
      Connection::start(std::move(connection));
    } else {
      asio::post(shard.io(), [connection = std::move(connection)]() mutable {
        Connection::start(std::move(connection));
      });
    }
  }

  void pause() {
    pause_->expires_after(kPauseAfterFault);
    pause_->async_wait([this](const boost::system::error_code& error) {
      if (!error && acceptor_->is_open()) accept_next();
    });
  }

  // Clients whose connection the kernel has accepted already are served too.
  void stop_accepting() {
    boost::system::error_code error;
    while (!error && shared_.connections.load(std::memory_order_relaxed) < options_.max_connections) {
      Shard& shard = *shards_[next_++ % shards_.size()];
      tcp::socket socket(shard.io());
      acceptor_->accept(socket, error);
      if (!error) adopt(shard, std::move(socket));
    }
    acceptor_->close(error);
    pause_->cancel();
    for (const auto& shard : shards_) asio::post(shard->io(), [&shard = *shard] { shard.drain(); });
  }

  const ListenerOptions options_;
  LanePool storage_;
  LanePool password_;
  LanePool function_;
  ServerContext shared_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> pause_;
  std::vector<std::thread> threads_;
  std::size_t next_ = 0;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
};

Listener::Listener(protocol::RequestHandler& handler, Clock& clock, ListenerOptions options)
    : server_(std::make_unique<Server>(handler, clock, std::move(options))) {}
Listener::~Listener() = default;

Result<void> Listener::start() { return server_->start(); }
std::uint16_t Listener::local_port() const noexcept { return server_->port(); }
std::size_t Listener::connections() const noexcept { return server_->connections(); }
void Listener::stop() { server_->stop(); }

}  // namespace keyturn::server::http

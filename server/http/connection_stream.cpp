// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

#include "server/http/connection.hpp"

// Bodies that are sent while they come into being.
namespace keyturn::server::http {
namespace {

namespace asio = boost::asio;

const auto kAwaitStream = asio::as_tuple(asio::use_awaitable);

}  // namespace

asio::awaitable<bool> Connection::write_all() {
  enter(Phase::write);
  const asio::const_buffer bytes = asio::buffer(out_);
  const auto [error, size] = co_await asio::async_write(socket_, bytes, kAwaitStream);
  static_cast<void>(size);
  co_return !error && !timed_out_;
}

void Connection::watch_peer() {
  begin_ = end_ = 0;  // what a client sends now is of no interest
  socket_.async_read_some(room(),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                            if (error) {
                              self->peer_gone_ = true;
                              self->wake();
                            } else if (!self->peer_gone_) {
                              self->watch_peer();
                            }
                          });
}

asio::awaitable<bool> Connection::send_stream() {
  const auto wake_me = [connection = weak_from_this(), gate = shard_.gate()] {
    gate->post([connection] {
      if (const auto alive = connection.lock()) alive->wake();
    });
  };
  stream_->start(wake_me);
  watch_peer();
  bool ended = false;
  bool usable = true;
  while (usable && !ended && !peer_gone_) {
    woken_for_stream_ = false;
    protocol::BodyStream::Piece piece = stream_->take();
    ended = piece.ended || draining_;
    write_piece(out_, piece.bytes, ended, form_);
    if (!out_.empty()) {
      usable = co_await write_all();
      continue;
    }
    if (ended) break;
    enter(Phase::stream);
    while (!woken_for_stream_ && !peer_gone_ && !draining_) {
      woken_.expires_at(asio::steady_timer::time_point::max());
      const auto [ignored] = co_await woken_.async_wait(kAwaitStream);
      static_cast<void>(ignored);
    }
  }
  stream_.reset();
  const bool goes_on = usable && !peer_gone_;
  peer_gone_ = true;  // ends the reading, which the lingering takes over
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  co_return goes_on;
}

}  // namespace keyturn::server::http

// SPDX-License-Identifier: Apache-2.0
#include "server/http/shard.hpp"

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "server/http/connection.hpp"

namespace keyturn::server::http {
namespace {

// Fine enough that a deadline is met within a fifth of a second, or a quarter of the shortest limit.
std::chrono::milliseconds tick_for(const ListenerOptions& o) {
  const auto shortest =
      std::min({o.head_deadline, o.body_deadline, o.write_deadline, o.idle_deadline, o.drain_deadline});
  return std::clamp(shortest / 4, std::chrono::milliseconds(2), std::chrono::milliseconds(200));
}

int checked(int descriptor) {
  if (descriptor < 0)
    throw std::system_error(errno, std::generic_category(), "a listener needs a descriptor");
  return descriptor;
}

}  // namespace

ShardGate::ShardGate(Shard& shard)
    : bell_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))), shard_(&shard) {}

ShardGate::~ShardGate() { ::close(bell_); }

// Not by asio, which wakes the I/O thread while it holds the queue's lock: a thread that runs functions steps
// back for the I/O thread at that moment, and the I/O thread then waits for the lock until the other has had
// its turn among the workers.
void ShardGate::post(std::function<void()> f) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (shard_ == nullptr) return;
    if (shard_->io().get_executor().running_in_this_thread()) {
      boost::asio::post(shard_->io(), std::move(f));
      return;
    }
    is_first = posted_.empty();
    posted_.push_back(std::move(f));
  }
  if (!is_first) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t rung = ::write(bell_, &one, sizeof one);
}

std::vector<std::function<void()>> ShardGate::take() {
  // First, so that what is posted from here on rings again.
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t heard = ::read(bell_, &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(posted_, {});
}

void ShardGate::close() {
  std::vector<std::function<void()>> dropped;  // outlives the lock: what they hold may be foreign
  const std::lock_guard lock(mutex_);
  shard_ = nullptr;
  dropped.swap(posted_);
}

Shard::Shard(ServerContext& shared, bool is_first)
    : shared_(shared),
      is_first_(is_first),
      gate_(std::make_shared<ShardGate>(*this)),
      bell_(io_, checked(::fcntl(gate_->bell(), F_DUPFD_CLOEXEC, 0))),
      tick_(tick_for(shared.options)),
      coarse_now_(shared.clock.boot_now()) {}

BootTime Shard::deadline_after(std::chrono::milliseconds limit) const noexcept {
  return coarse_now_ + tick_ + limit;
}

void Shard::enter(Connection& connection) {
  connection.slot = connections_.size();
  connections_.push_back(&connection);
  connection.is_listed = true;
  if (draining_) connection.drain();
}

void Shard::leave(Connection& connection) {
  shared_.connections.fetch_sub(1, std::memory_order_relaxed);
  if (!connection.is_listed) return;
  connections_.back()->slot = connection.slot;
  std::swap(connections_[connection.slot], connections_.back());
  connections_.pop_back();
}

void Shard::start() {
  schedule_sweep();
  listen_to_bell();
}

void Shard::listen_to_bell() {
  bell_.async_wait(bell_.wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    for (const auto& posted : gate_->take()) posted();
    listen_to_bell();
  });
}

void Shard::schedule_sweep() {
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

void Shard::sweep() {
  coarse_now_ = shared_.clock.boot_now();
  const auto crowded = shared_.options.max_connections - shared_.options.max_connections / 10;
  const bool is_crowded = shared_.connections.load(std::memory_order_relaxed) >= crowded;
  // A look may close a connection, never remove one from the list: that happens when its coroutine next runs.
  for (Connection* connection : connections_) connection->check_deadline(coarse_now_, is_crowded);
  if (is_first_) {
    shared_.storage.expire();
    shared_.password.expire();
    shared_.function.expire();
  }
  if (draining_ && connections_.empty()) {
    bell_.cancel();  // nothing is left to wait for, and so the thread ends
    return;
  }
  if (draining_ && coarse_now_ >= drain_until_) {
    io_.stop();
    return;
  }
  schedule_sweep();
}

void Shard::drain() {
  draining_ = true;
  coarse_now_ = shared_.clock.boot_now();
  drain_until_ = coarse_now_ + shared_.options.drain_deadline;
  for (Connection* connection : connections_) connection->drain();
}

}  // namespace keyturn::server::http

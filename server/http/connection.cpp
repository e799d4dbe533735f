// SPDX-License-Identifier: Apache-2.0
#include "server/http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "server/http/chunked_body.hpp"
#include "server/http/client_address.hpp"

namespace keyturn::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kFirstBuffer = 2'048;  // most requests fit, and 10,000 idle connections take 20 MiB
constexpr std::size_t kKeptBuffer = 4'096;   // a longer one is given back after its request
constexpr std::size_t kBodyBuffer = 16'384;
constexpr std::size_t kKeptOut = 32'768;
constexpr std::size_t kLingerBytes = 1'048'576;
const auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

void AnswerBox::put(protocol::Reply reply) {
  if (given_.exchange(true, std::memory_order_acq_rel)) return;
  response_ = std::move(reply.response);
  stream_ = std::move(reply.stream);
  if (state_.exchange(kReady, std::memory_order_acq_rel) != kWaiting) return;
  gate_->post([connection = connection_] {
    if (const auto alive = connection.lock()) alive->wake();
  });
}

bool AnswerBox::ready_or_wake_me() noexcept {
  int expected = kEmpty;
  return !state_.compare_exchange_strong(expected, kWaiting, std::memory_order_acq_rel);
}

void AnswerBox::reset() noexcept {
  stream_.reset();
  state_.store(kEmpty, std::memory_order_relaxed);
  given_.store(false, std::memory_order_relaxed);
}

Connection::Connection(Shard& shard, tcp::socket socket)
    : shard_(shard),
      socket_(std::move(socket)),
      woken_(socket_.get_executor()),
      parser_(shard.shared().options.head),
      buffer_(kFirstBuffer) {
  boost::system::error_code gone;
  const auto peer = socket_.remote_endpoint(gone);
  if (!gone) peer_ = peer.address().to_string();
}

Connection::~Connection() { shard_.leave(*this); }

void Connection::start(std::shared_ptr<Connection> connection) {
  Connection& self = *connection;
  boost::system::error_code ignored;
  self.socket_.non_blocking(true, ignored);
  self.enter(Phase::idle);
  self.shard_.enter(self);
  // The frame keeps the connection: `run` is a member and takes nothing by reference that could go before it.
  const auto keep = [connection = std::move(connection)](const std::exception_ptr&) {};
  asio::co_spawn(self.socket_.get_executor(), self.run(), keep);
}

void Connection::enter(Phase phase) {
  const ListenerOptions& options = shard_.shared().options;
  phase_ = phase;
  switch (phase) {
    case Phase::idle:
      deadline_ = shard_.deadline_after(draining_ ? options.drain_idle_deadline : options.idle_deadline);
      idle_since_ = deadline_ - options.idle_deadline;
      return;
    case Phase::head:
      deadline_ = shard_.deadline_after(options.head_deadline);
      return;
    case Phase::body:
      deadline_ = shard_.deadline_after(options.body_deadline);
      return;
    case Phase::answer:
      deadline_ = shard_.deadline_after(options.answer_deadline);
      return;
    case Phase::write:
      deadline_ = shard_.deadline_after(options.write_deadline);
      return;
    case Phase::stream:
      deadline_ = BootTime::max();
      return;
    case Phase::linger:
      deadline_ = shard_.deadline_after(options.linger_deadline);
      return;
  }
}

void Connection::check_deadline(BootTime now, bool crowded) {
  const bool crowded_out =
      crowded && phase_ == Phase::idle && now >= idle_since_ + shard_.shared().options.crowded_idle_deadline;
  if (timed_out_ || (now < deadline_ && !crowded_out)) return;
  timed_out_ = true;
  boost::system::error_code ignored;
  if (phase_ == Phase::head || phase_ == Phase::body) {
    socket_.cancel(ignored);  // the reader refuses with 408
  } else if (phase_ == Phase::answer) {
    woken_.cancel();
  } else {
    socket_.close(ignored);
  }
}

void Connection::drain() {
  draining_ = true;
  if (phase_ == Phase::idle) enter(Phase::idle);
  if (phase_ == Phase::stream) woken_.cancel();
}

void Connection::wake() {
  woken_for_stream_ = true;
  woken_.cancel();
}

asio::mutable_buffer Connection::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    } else {
      buffer_.resize(buffer_.size() * 2);  // bounded: the head parser refuses what is longer than its limits
    }
  }
  return asio::buffer(buffer_.data() + end_, buffer_.size() - end_);
}

void Connection::consume(std::size_t size) noexcept { begin_ += size; }

asio::awaitable<void> Connection::run() {
  ServerContext& shared = shard_.shared();
  bool close = false;
  while (!close) {
    parser_.reset();
    form_ = ResponseForm{};
    enter(Phase::idle);
    HeadParser::State state = HeadParser::State::need_more;
    bool refused = false;
    for (;;) {
      if (begin_ != end_) {
        if (phase_ == Phase::idle) enter(Phase::head);
        state = parser_.parse(unread());
        if (state != HeadParser::State::need_more) break;
      }
      const asio::mutable_buffer space = room();
      const auto [error, size] = co_await socket_.async_read_some(space, kAwait);
      if (timed_out_ && phase_ == Phase::head) break;
      if (error || timed_out_) co_return;
      end_ += size;
    }
    RequestHead& head = parser_.head();
    if (timed_out_) {
      refuse(408, "the request did not arrive in time");
      refused = close = true;
    } else if (state == HeadParser::State::refused) {
      refuse(parser_.status(), parser_.why());
      refused = close = true;
    } else {
      consume(parser_.consumed());
      close = !head.keep_alive || draining_;
      form_.is_head_request = head.request.method == "HEAD";
      form_.small_chunks = head.wants_small_chunks;
      form_.no_chunks = head.is_http_1_0;
    }

    if (!refused) {
      const protocol::Plan plan = shared.handler.plan_for(head.request);
      BodyOutcome outcome = BodyOutcome::complete;
      if (head.framing == BodyFraming::length) {
        if (head.content_length > plan.max_body_bytes) {
          outcome = BodyOutcome::too_large;
        } else if (head.content_length <= end_ - begin_) {
          const auto size = static_cast<std::size_t>(head.content_length);
          head.request.body.assign(unread().substr(0, size));
          consume(size);
        } else {
          outcome = co_await read_body(plan.max_body_bytes);
        }
      } else if (head.framing == BodyFraming::chunked) {
        outcome = co_await read_body(plan.max_body_bytes);
      }
      if (outcome == BodyOutcome::closed) co_return;
      if (outcome == BodyOutcome::complete) {
        dispatch(plan);
        enter(Phase::answer);
        if (!box_->ready_or_wake_me()) {
          while (!box_->ready() && !timed_out_) {
            woken_.expires_at(asio::steady_timer::time_point::max());
            const auto [ignored] = co_await woken_.async_wait(kAwait);
            static_cast<void>(ignored);
          }
        }
        if (box_->ready()) {
          response_ = &box_->response();
          timed_out_ = false;
        } else {
          box_.reset();
          refuse(503, "no answer in time");
          close = true;
        }
      } else {
        if (outcome == BodyOutcome::too_large) refuse(413, "request body too large");
        if (outcome == BodyOutcome::invalid) refuse(400, "invalid chunked body");
        if (outcome == BodyOutcome::timed_out) refuse(408, "the request did not arrive in time");
        refused = close = true;
      }
    }

    if (response_ != &refusal_) stream_ = box_->take_stream();
    form_.is_stream = stream_ != nullptr;
    close = close || draining_ || form_.is_stream;
    form_.close = close;
    enter(Phase::write);
    std::size_t sent = 0;
    bool failed = false;
    bool body_follows = false;
    if (!send_now(sent, failed, body_follows)) {
      if (failed) co_return;
      const bool written = co_await write_rest(sent, body_follows);
      if (!written) co_return;
    }
    if (form_.is_stream && !form_.is_head_request) {
      const bool sent_all = co_await send_stream();
      if (!sent_all) co_return;
      continue;
    }
    if (out_.capacity() > kKeptOut) std::string().swap(out_);
    response_->body.clear();
    if (buffer_.size() > kKeptBuffer && end_ - begin_ <= kFirstBuffer) {
      std::vector<char> small(kFirstBuffer);
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                buffer_.begin() + static_cast<std::ptrdiff_t>(end_), small.begin());
      end_ -= begin_;
      begin_ = 0;
      buffer_.swap(small);
    }
  }
  co_await linger();
}

asio::awaitable<Connection::BodyOutcome> Connection::read_body(std::size_t max_body_bytes) {
  enter(Phase::body);
  RequestHead& head = parser_.head();
  if (head.expects_continue && begin_ == end_) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const asio::const_buffer line = asio::buffer(kContinue);
    const auto [error, size] = co_await asio::async_write(socket_, line, kAwait);
    static_cast<void>(size);
    if (error && !timed_out_) co_return BodyOutcome::closed;
  }
  if (buffer_.size() < kBodyBuffer) buffer_.resize(kBodyBuffer);
  ChunkedBody chunks(max_body_bytes);
  std::string& body = head.request.body;
  for (;;) {
    if (timed_out_) {
      timed_out_ = false;
      co_return BodyOutcome::timed_out;
    }
    if (head.framing == BodyFraming::length) {
      const auto wanted = static_cast<std::size_t>(head.content_length) - body.size();
      const std::string_view part = unread().substr(0, wanted);
      body.append(part);
      consume(part.size());
      if (body.size() == head.content_length) co_return BodyOutcome::complete;
    } else {
      std::size_t used = 0;
      const ChunkedBody::State state = chunks.take(unread(), body, used);
      consume(used);
      if (state == ChunkedBody::State::done) co_return BodyOutcome::complete;
      if (state == ChunkedBody::State::invalid) co_return BodyOutcome::invalid;
      if (state == ChunkedBody::State::too_large) co_return BodyOutcome::too_large;
    }
    const asio::mutable_buffer space = room();
    const auto [error, size] = co_await socket_.async_read_some(space, kAwait);
    if (error && !timed_out_) co_return BodyOutcome::closed;
    if (!error) end_ += size;
  }
}

void Connection::dispatch(const protocol::Plan& plan) {
  const protocol::Lane lane = plan.lane;
  if (box_ && box_.use_count() == 1) {
    box_->reset();
  } else {
    box_ = std::make_shared<AnswerBox>(weak_from_this(), shard_.gate());
  }
  ServerContext& shared = shard_.shared();
  HttpRequest& request = parser_.head().request;
  if (lane == protocol::Lane::immediate) {
    try {
      shared.handler.handle(std::move(request),
                            [box = box_](protocol::Reply reply) { box->put(std::move(reply)); });
    } catch (...) {
      box_->put(shared.handler.refuse(500, "internal error", HttpRequest{}));
    }
    return;
  }
  LanePool& pool = lane == protocol::Lane::storage    ? shared.storage
                   : lane == protocol::Lane::password ? shared.password
                                                      : shared.function;
  protocol::ClientAddress client = client_address(peer_, request.headers, shared.options.trusted_proxies);
  auto work = std::make_shared<HttpRequest>(std::move(request));
  protocol::RequestHandler& handler = shared.handler;
  const auto busy = [box = box_, work, &handler](LanePool::Admission why) {
    const bool is_own_fault = why == LanePool::Admission::share_full;
    HttpResponse response = is_own_fault ? handler.refuse(429, "too many requests are running", *work)
                                         : handler.refuse(503, "too busy", *work);
    if (!find_header(response.headers, "Retry-After")) response.headers.emplace_back("Retry-After", "1");
    box->put(std::move(response));
  };
  LanePool::Job job;
  job.give_up = busy;
  job.run = [box = box_, work, &handler, client = std::move(client)] {
    try {
      handler.handle_from(client, std::move(*work),
                          [box](protocol::Reply reply) { box->put(std::move(reply)); });
    } catch (...) {
      box->put(handler.refuse(500, "internal error", HttpRequest{}));
    }
  };
  job.share = plan.share;
  if (const auto admission = pool.submit(job); admission != LanePool::Admission::taken) busy(admission);
}

void Connection::refuse(int status, std::string_view why) {
  timed_out_ = false;
  refusal_ = shard_.shared().handler.refuse(status, why, parser_.head().request);
  response_ = &refusal_;
}

bool Connection::send_now(std::size_t& sent, bool& failed, bool& body_follows) {
  const std::string& date = shard_.date().at(shard_.shared().clock.wall_now());
  body_follows = !write_response(*response_, form_, date, out_);
  boost::system::error_code error;
  const std::array<asio::const_buffer, 2> parts = {
      asio::buffer(out_), body_follows ? asio::buffer(response_->body) : asio::const_buffer()};
  sent = body_follows ? socket_.write_some(parts, error) : socket_.write_some(parts[0], error);
  if (error) sent = 0;
  failed = error && error != asio::error::would_block && error != asio::error::try_again;
  return !failed && sent == asio::buffer_size(parts);
}

asio::awaitable<bool> Connection::write_rest(std::size_t already_sent, bool body_follows) {
  const std::size_t head_left = out_.size() - std::min(already_sent, out_.size());
  const std::size_t body_sent = already_sent - (out_.size() - head_left);
  std::array<asio::const_buffer, 2> parts = {asio::buffer(out_) + (out_.size() - head_left),
                                             asio::const_buffer()};
  if (body_follows) parts[1] = asio::buffer(response_->body) + body_sent;
  const auto [error, size] = co_await asio::async_write(socket_, parts, kAwait);
  static_cast<void>(size);
  co_return !error;
}

// A close with unread input would make the kernel throw away an answer that has not been read yet.
asio::awaitable<void> Connection::linger() {
  enter(Phase::linger);
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  std::size_t total = 0;
  while (total < kLingerBytes) {
    begin_ = end_ = 0;
    const asio::mutable_buffer space = room();
    const auto [error, size] = co_await socket_.async_read_some(space, kAwait);
    if (error) break;
    total += size;
  }
}

}  // namespace keyturn::server::http

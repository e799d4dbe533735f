// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/error_body.hpp"
#include "sdk/session/http_date.hpp"
#include "sdk/session/verdict.hpp"

namespace keyturn::sdk {
namespace {

constexpr std::size_t kMostRefusalBytes = std::size_t{64} * 1024;
/// A stream that lasted so long was no failure of the server.
constexpr std::chrono::seconds kGoodStream{10};
constexpr std::chrono::seconds kShortestStream{1};

bool is_event_stream(const HttpResponse& head) {
  const auto type = find_header(head.headers, "content-type");
  return head.status == 200 && type && type->starts_with("text/event-stream");
}

}  // namespace

EventStream::EventStream(SessionManager& manager, SessionManager::UserRef user, std::string address,
                         EventStreamHandlers handlers)
    : manager_(manager),
      loop_(manager.parts_.loop),
      callbacks_(manager.parts_.callbacks),
      user_(std::move(user)),
      address_(std::move(address)),
      handlers_(std::move(handlers)) {}

void EventStream::connect() {
  if (ended_) return;
  manager_.with_token(
      user_, std::chrono::seconds(0), manager_.usual_deadline(),
      [self = shared_from_this()](Result<std::string> token) { self->open(std::move(token)); });
}

void EventStream::open(Result<std::string> token) {
  if (ended_) return;
  if (!token) {
    failed(token.error(), {});
    return;
  }
  HttpRequest request{
      "GET", address_, {{"Accept", "text/event-stream"}}, {}, manager_.settings().request_timeout};
  request.headers.emplace_back("Authorization", "Bearer " + *token);
  sent_token_ = Secret(*token);
  wipe_memory(token->data(), token->size());
  head_ = {};
  is_open_ = false;
  stream_error_.reset();
  parser_.emplace();
  paused_ = false;
  const std::uint64_t attempt = ++attempt_;
  const auto current = [weak = weak_from_this(), attempt]() -> std::shared_ptr<EventStream> {
    auto self = weak.lock();
    return self && !self->ended_ && self->attempt_ == attempt ? self : nullptr;
  };
  call_ = manager_.parts_.streams->stream(std::move(request), {[current](const HttpResponse& head) {
                                                                 if (const auto self = current())
                                                                   self->take_head(head);
                                                               },
                                                               [current](std::string_view bytes) {
                                                                 const auto self = current();
                                                                 return !self || self->take_bytes(bytes);
                                                               },
                                                               [current](const Result<void>& result) {
                                                                 if (const auto self = current())
                                                                   self->take_end(result);
                                                               }});
}

void EventStream::take_head(const HttpResponse& head) {
  head_ = head;
  if (!is_event_stream(head)) return;
  is_open_ = true;
  was_rejected_ = false;
  opened_at_ = heard_at_ = manager_.parts_.clock->boot_now();
  watch_silence();
  if (!std::exchange(started_, true)) {
    if (const auto told = std::exchange(start_told_, {})) told({});
  } else if (handlers_.on_reconnect) {
    tell(handlers_.on_reconnect);
  }
}

bool EventStream::crowded() const {
  return waiting_events_ >= kMostWaitingEvents || waiting_bytes_ >= kMostWaitingBytes;
}

bool EventStream::take_bytes(std::string_view bytes) {
  if (!is_open_) {
    head_.body.append(bytes.substr(0, kMostRefusalBytes - std::min(head_.body.size(), kMostRefusalBytes)));
    return true;
  }
  heard_at_ = manager_.parts_.clock->boot_now();
  if (crowded()) {
    paused_ = true;
    // Looked at again: the observer may have taken the last one meanwhile, and would not resume.
    if (crowded()) return false;
    paused_ = false;
  }
  const auto fed = parser_->feed(bytes, [this](ServerEvent event) {
    if (!ended_ && !stream_error_) take_event(std::move(event));
  });
  if (!fed) {
    finish(fed.error());
  } else if (stream_error_) {
    close_call();
    lost();
  }
  return true;
}

void EventStream::take_event(ServerEvent event) {
  if (event.name == "error") {
    const auto body = protocol::parse_error_body(event.data);
    stream_error_ =
        body ? protocol::to_error(*body, 0) : Error(ErrorCode::AppUnknownError, "the server ended the watch");
    return;
  }
  if (!event.name.empty() && event.name != "message") return;
  const std::size_t bytes = event.data.size();
  ++waiting_events_;
  waiting_bytes_ += bytes;
  callbacks_->run([self = shared_from_this(), bytes, data = std::move(event.data)] {
    Result<void> outcome;
    const bool survived =
        survives([&] { self->gate_.pass([&] { outcome = self->handlers_.on_event(data); }); });
    self->event_told(bytes, outcome);
    if (!survived) self->manager_.log("observer threw kind=\"change event\"");
  });
}

void EventStream::event_told(std::size_t bytes, const Result<void>& outcome) {
  const std::size_t events = --waiting_events_;
  const std::size_t left = waiting_bytes_ -= bytes;
  if (!outcome) {
    loop_->post([self = shared_from_this(), error = outcome.error()] { self->finish(error); });
  }
  if (paused_ && events <= kMostWaitingEvents / 2 && left <= kMostWaitingBytes / 2) {
    loop_->post([self = shared_from_this()] {
      if (self->ended_ || !self->call_ || !self->paused_.exchange(false)) return;
      self->heard_at_ = self->manager_.parts_.clock->boot_now();
      self->call_->resume();
    });
  }
}

void EventStream::take_end(const Result<void>& result) {
  call_.reset();
  if (is_open_) {
    if (!result && result.error().code == ErrorCode::ClientAppDeallocated) {
      finish(result.error());
    } else {
      lost();
    }
  } else if (!result) {
    failed(result.error(), {});
  } else {
    refused(head_);
  }
}

void EventStream::refused(const HttpResponse& response) {
  if (token_rejected(response)) {
    token_refused(protocol::error_of(response));
  } else if (response.status >= 200 && response.status < 300) {
    finish({ErrorCode::InvalidServerResponse, "the answer is no event stream"});
  } else {
    failed(protocol::error_of(response), retry_after_of(response.headers, manager_.server_now(*user_)));
  }
}

void EventStream::token_refused(const Error& error) {
  if (std::exchange(was_rejected_, true)) {
    finish(error);
    return;
  }
  manager_.reject(user_, sent_token_.reveal());
  connect();
}

void EventStream::lost() {
  if (const auto error = std::exchange(stream_error_, std::nullopt)) {
    error->code == ErrorCode::InvalidSession ? token_refused(*error) : failed(*error, {});
    return;
  }
  const auto lasted = manager_.parts_.clock->boot_now() - opened_at_;
  if (lasted >= kGoodStream) backoff_.succeeded();
  const bool token_is_held = user_->cell.read([this](std::string_view held, const TokenState& state) {
    return sent_token_.equals(held) &&
           decide(state, manager_.parts_.clock->boot_now(), std::chrono::seconds(0)) == TokenAction::use;
  });
  if (!token_is_held && lasted >= kShortestStream) {
    connect();
  } else {
    wait_then_connect({});
  }
}

void EventStream::failed(const Error& error, std::optional<std::chrono::seconds> retry_after) {
  if (!started_ || error.remedy != Remedy::retry_later) {
    finish(error);
  } else {
    wait_then_connect(retry_after);
  }
}

void EventStream::wait_then_connect(std::optional<std::chrono::seconds> retry_after) {
  const BootTime now = manager_.parts_.clock->boot_now();
  backoff_.failed(now, retry_after, manager_.parts_.chance());
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(backoff_.not_before() - now);
  loop_->schedule(std::max(wait, std::chrono::milliseconds(1)), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->connect();
  });
}

void EventStream::watch_silence() {
  loop_->schedule(kLongestSilence / 3, [weak = weak_from_this(), attempt = attempt_] {
    const auto self = weak.lock();
    if (!self || self->ended_ || self->attempt_ != attempt || !self->call_) return;
    if (!self->paused_ && self->manager_.parts_.clock->boot_now() - self->heard_at_ >= kLongestSilence) {
      self->close_call();
      self->lost();
    } else {
      self->watch_silence();
    }
  });
}

void EventStream::close_call() {
  ++attempt_;  // whatever it still tells is not meant
  if (const auto call = std::exchange(call_, nullptr)) call->cancel();
}

void EventStream::stop() {
  ended_ = true;
  close_call();
  std::erase_if(manager_.streams_, [this](const auto& each) { return each.get() == this; });
}

void EventStream::finish(const Error& error) {
  if (ended_) return;
  const auto self = shared_from_this();
  stop();
  if (const auto told = std::exchange(start_told_, {})) {
    told(error);
  } else if (handlers_.on_error) {
    tell([self, error] { self->handlers_.on_error(error); });
  }
}

void EventStream::tell(std::function<void()> call) {
  callbacks_->run([self = shared_from_this(), call = std::move(call)] { self->gate_.pass(call); });
}

void EventStream::cancel() {
  gate_.close();
  loop_->post([self = shared_from_this()] {
    if (!self->ended_) self->stop();
  });
}

void SessionManager::open_stream(UserRef user, std::string path, EventStreamHandlers handlers,
                                 std::function<void(Result<std::shared_ptr<void>>)> started) {
  parts_.loop->post([this, user = std::move(user), path = std::move(path), handlers = std::move(handlers),
                     started = std::move(started)]() mutable {
    mark_in_use(user);
    const auto stream = std::make_shared<EventStream>(*this, user, address(path), std::move(handlers));
    stream->when_started(
        [started = std::move(started), weak = std::weak_ptr<EventStream>(stream)](Result<void> result) {
          const auto self = weak.lock();
          if (!result || !self) {
            started(result ? app_closed() : result.error());
          } else {
            // The handle's end is the end of the calls.
            started(std::shared_ptr<void>(self.get(), [self](void*) { self->cancel(); }));
          }
        });
    streams_.push_back(stream);
    if (!parts_.streams) {
      stream->finish({ErrorCode::InvalidConfiguration, "the transport has no streams"});
    } else {
      stream->connect();
    }
  });
}

void SessionManager::end_streams(const UserRecord* user, const Error& error) {
  const std::vector<std::shared_ptr<EventStream>> streams = streams_;
  for (const auto& stream : streams) {
    if (user == nullptr || stream->user().get() == user) stream->finish(error);
  }
}

}  // namespace keyturn::sdk

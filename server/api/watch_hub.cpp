// SPDX-License-Identifier: Apache-2.0
#include "server/api/watch_hub.hpp"

#include <algorithm>
#include <utility>

#include "core/protocol/error_body.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::string_view kKeepAlive = ": keep-alive\n\n";

std::string encoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\n')
      out += "%0A";
    else if (c == '\r')
      out += "%0D";
    else
      out += c;
  }
  return out;
}

Error too_many(std::string_view whose) {
  return refusal(ErrorCode::TooManyRequests, "too many open streams of this " + std::string(whose));
}

}  // namespace

std::string change_event(const EjsonDocument& event) {
  return "data: " + encoded(Ejson(event).to_canonical()) + "\n\n";
}

std::string error_event(const Error& error) {
  return "event: error\ndata: " + encoded(protocol::write_error_body(protocol::error_body_of(error))) +
         "\n\n";
}

/// What waits for one reader.
class WatchHub::Channel {
 public:
  Channel(WatchOwner owner, const WatchLimits& limits, BootTime now)
      : owner_(std::move(owner)), limits_(limits), last_sent_(now) {}

  [[nodiscard]] const WatchOwner& owner() const noexcept { return owner_; }

  void on_wake(std::function<void()> wake) {
    const std::scoped_lock lock(mutex_);
    wake_ = std::move(wake);
  }

  void add(Result<EjsonDocument> event, BootTime now) {
    if (!event) return end(event.error());
    std::string text = change_event(*event);
    const bool fits = put(std::move(text), now);
    if (!fits) end(refusal(ErrorCode::ReadSizeLimitExceeded, "changes came faster than they were read"));
  }

  void end(const Error& error) {
    std::function<void()> wake;
    {
      const std::scoped_lock lock(mutex_);
      if (ended_) return;
      ended_ = true;
      waiting_ += error_event(error);
      wake = wake_;
    }
    if (wake) wake();
  }

  void keep_alive(BootTime now) {
    {
      const std::scoped_lock lock(mutex_);
      if (!waiting_.empty() || now - last_sent_ < limits_.keep_alive) return;
    }
    static_cast<void>(put(std::string(kKeepAlive), now));
  }

  protocol::BodyStream::Piece take() {
    const std::scoped_lock lock(mutex_);
    return {std::exchange(waiting_, {}), ended_};
  }

 private:
  bool put(std::string text, BootTime now) {
    std::function<void()> wake;
    {
      const std::scoped_lock lock(mutex_);
      if (ended_) return true;
      if (!waiting_.empty() && waiting_.size() + text.size() > limits_.waiting_bytes) return false;
      waiting_ += text;
      last_sent_ = now;
      wake = wake_;
    }
    if (wake) wake();
    return true;
  }

  const WatchOwner owner_;
  const WatchLimits limits_;
  std::mutex mutex_;
  std::string waiting_;
  std::function<void()> wake_;
  BootTime last_sent_;
  bool ended_ = false;
};

class WatchHub::Stream final : public protocol::BodyStream {
 public:
  Stream(std::shared_ptr<Channel> channel, std::shared_ptr<void> registration)
      : channel_(std::move(channel)), registration_(std::move(registration)) {}
  void start(std::function<void()> wake) override { channel_->on_wake(std::move(wake)); }
  Piece take() override { return channel_->take(); }

 private:
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<void> registration_;  // goes first
};

WatchHub::WatchHub(SessionStore& sessions, Clock& clock, WatchLimits limits)
    : sessions_(sessions), clock_(clock), limits_(limits) {}
WatchHub::~WatchHub() = default;

std::vector<std::shared_ptr<WatchHub::Channel>> WatchHub::live() const {
  std::vector<std::shared_ptr<Channel>> out;
  const std::scoped_lock lock(mutex_);
  std::erase_if(channels_, [](const std::weak_ptr<Channel>& each) { return each.expired(); });
  for (const auto& each : channels_) {
    if (auto channel = each.lock()) out.push_back(std::move(channel));
  }
  return out;
}

std::size_t WatchHub::open_streams() const { return live().size(); }

Result<std::unique_ptr<protocol::BodyStream>> WatchHub::open(const WatchOwner& owner, const Begin& begin) {
  std::size_t of_app = 0;
  std::size_t of_user = 0;
  const auto channel = std::make_shared<Channel>(owner, limits_, clock_.boot_now());
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(channels_, [](const std::weak_ptr<Channel>& each) { return each.expired(); });
    for (const auto& each : channels_) {
      const auto other = each.lock();
      if (other == nullptr || other->owner().principal.app_id != owner.principal.app_id) continue;
      ++of_app;
      if (other->owner().principal.user_id == owner.principal.user_id) ++of_user;
    }
    if (of_user >= limits_.per_user) return too_many("user");
    if (of_app >= limits_.per_app) return too_many("app");
    channels_.push_back(channel);
  }
  auto registration =
      begin([weak = std::weak_ptr<Channel>(channel), &clock = clock_](Result<EjsonDocument> event) {
        if (const auto alive = weak.lock()) alive->add(std::move(event), clock.boot_now());
      });
  if (!registration) return registration.error();
  return std::unique_ptr<protocol::BodyStream>(std::make_unique<Stream>(channel, std::move(*registration)));
}

void WatchHub::tick() {
  const WallTime now = clock_.wall_now();
  const BootTime passed = clock_.boot_now();
  for (const auto& channel : live()) {
    const WatchOwner& owner = channel->owner();
    if (now >= owner.token_expires) {
      channel->end(session_over("invalid session: access token expired"));
      continue;
    }
    const auto session = sessions_.find(owner.principal.session_id);
    // A fault of the store is no verdict (rule V1): the stream stays until there is one.
    if (session && (!*session || (*session)->ended)) {
      channel->end(session_over("invalid session", *session ? (*session)->reason : EndReason::none));
      continue;
    }
    channel->keep_alive(passed);
  }
}

}  // namespace keyturn::server

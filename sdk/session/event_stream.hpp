// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "sdk/session/backoff.hpp"
#include "sdk/session/call_gate.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/transport/event_parser.hpp"
#include "sdk/transport/stream_transport.hpp"

namespace keyturn::sdk {

/// A `text/event-stream` of the server that is opened with the user's access token and, when it ends, again
/// with a valid one, until the user logs out or the server refuses for good (client-api.md 14).
///
/// Before the first opening any failure but an old token is the end; after it, passing faults are spaced by a
/// back-off of its own. A stream that ended because its token did is opened again at once.
///
/// Thread safety: loop thread, but for `cancel`. Lifetime: the manager holds it while it lasts.
class EventStream : public std::enable_shared_from_this<EventStream> {
 public:
  /// While so much waits for the observer, no more is read from the network.
  static constexpr std::size_t kMostWaitingEvents = 256;
  static constexpr std::size_t kMostWaitingBytes = std::size_t{4} * 1024 * 1024;
  /// A stream that says nothing for so long, not even a comment, is taken for dead.
  static constexpr std::chrono::seconds kLongestSilence{90};

  EventStream(SessionManager& manager, SessionManager::UserRef user, std::string address,
              EventStreamHandlers handlers);

  [[nodiscard]] const SessionManager::UserRef& user() const { return user_; }
  /// Called once on the loop, with the first opening or what took its place.
  void when_started(std::function<void(Result<void>)> told) { start_told_ = std::move(told); }
  void connect();
  /// The end, told to who waits for the start, else to the observer.
  void finish(const Error& error);
  /// Any thread: nothing is told after it returned, and the connection is closed soon.
  void cancel();

 private:
  void open(Result<std::string> token);
  void take_head(const HttpResponse& head);
  bool take_bytes(std::string_view bytes);
  void take_event(ServerEvent event);
  void take_end(const Result<void>& result);
  void refused(const HttpResponse& response);
  void token_refused(const Error& error);
  void lost();
  void failed(const Error& error, std::optional<std::chrono::seconds> retry_after);
  void wait_then_connect(std::optional<std::chrono::seconds> retry_after);
  void watch_silence();
  void close_call();
  void stop();
  void tell(std::function<void()> call);
  [[nodiscard]] bool crowded() const;
  void event_told(std::size_t bytes, const Result<void>& outcome);

  SessionManager& manager_;  // on the loop only
  const std::shared_ptr<IoLoop> loop_;
  const std::shared_ptr<Callbacks> callbacks_;
  const SessionManager::UserRef user_;
  const std::string address_;
  const EventStreamHandlers handlers_;
  CallGate gate_;

  // Loop thread only.
  std::function<void(Result<void>)> start_told_;
  std::uint64_t attempt_ = 0;
  std::shared_ptr<StreamCall> call_;
  Secret sent_token_;
  HttpResponse head_;  ///< With the body of a refusal.
  bool is_open_ = false;
  bool started_ = false;
  bool ended_ = false;
  bool was_rejected_ = false;
  std::optional<Error> stream_error_;
  std::optional<EventParser> parser_;
  BootTime opened_at_{};
  BootTime heard_at_{};
  Backoff backoff_{BackoffPolicy{std::chrono::milliseconds(1000), std::chrono::milliseconds(30'000), 60,
                                 std::chrono::seconds(600)}};

  std::atomic<std::size_t> waiting_events_{0};
  std::atomic<std::size_t> waiting_bytes_{0};
  std::atomic<bool> paused_{false};
};

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "sdk/session/backoff.hpp"
#include "sdk/token_store/token_store.hpp"
#include "sdk/transport/transport.hpp"

namespace keyturn::sdk {

/// Tells the server of log-outs until it has heard each of them (promise 13, rule S15). The waiting ones live
/// in the store, so they outlast the process; delivering one twice does no harm.
///
/// Thread safety: loop thread only, but for `first_try_under_way`.
class Outbox {
 public:
  struct Parts {
    Clock* clock;
    IoLoop* loop;
    HttpTransport* transport;
    TokenStore* store;
    std::function<std::uint32_t()> chance;
    std::string address;  ///< Of `DELETE auth/session`.
    std::chrono::milliseconds timeout;
    BackoffPolicy backoff;
    std::function<void(const std::string&)> log;
  };
  explicit Outbox(Parts parts) : parts_(std::move(parts)), backoff_(parts_.backoff) {}

  /// Delivers what waits, now or when the cool-down ends.
  void deliver();
  /// The same after a log-out of this process, regardless of the cool-down.
  void deliver_new();
  /// Regardless of the cool-down, too; `done` learns whether the server has heard of all of them then. Nobody
  /// but the caller waits for it.
  void deliver_then(std::function<void(Result<void>)> done);
  /// Tells the server of a log-out that the store could not take, once; the store is tried again by others.
  void tell_once(Secret refresh_token);
  [[nodiscard]] bool first_try_under_way() const { return first_try_.load() || telling_once_.load() > 0; }

 private:
  [[nodiscard]] HttpRequest revocation_of(const Secret& refresh_token) const;
  void send_next();
  void end_round(const std::optional<Error>& failure, const std::optional<std::chrono::seconds>& retry_after);
  void tell_waiting(const Result<void>& outcome);

  void arm_timer();

  Parts parts_;
  Backoff backoff_;
  std::vector<PendingLogOut> round_;
  bool busy_ = false;
  std::optional<Error> failure_;
  std::vector<std::function<void(Result<void>)>> waiting_;
  bool again_ = false;
  bool timer_armed_ = false;
  std::atomic<bool> first_try_{false};
  std::atomic<int> telling_once_{0};
};

}  // namespace keyturn::sdk

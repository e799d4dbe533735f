// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "core/protocol/request_handler.hpp"
#include "server/domain/data/data_service.hpp"
#include "server/domain/sessions/session_store.hpp"

namespace keyturn::server {

struct WatchLimits {
  std::size_t per_user = 32;
  std::size_t per_app = 2'000;
  std::size_t waiting_bytes = std::size_t{1024} * 1024;  ///< Of events that a reader has not taken.
  std::chrono::seconds keep_alive{15};
};

/// Whose stream it is, and until when its access token lasts.
struct WatchOwner {
  Principal principal;
  WallTime token_expires;
};

/// The streams of changes that are open (client-api.md 14), as `text/event-stream`.
///
/// A stream ends with an error event: when its access token expires or its session is over (both noticed at
/// the next `tick`), when its reader is too slow, and when its watcher fails. Thread safety: all members.
/// Lifetime: must outlive its streams; not beyond the sessions and the clock.
class WatchHub {
 public:
  WatchHub(SessionStore& sessions, Clock& clock, WatchLimits limits = {});
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  /// Starts to watch with what `begin` registers. Errors: `TooManyRequests` 429 at a limit; those of `begin`.
  using Begin = std::function<Result<std::shared_ptr<void>>(DataService::ChangeObserver)>;
  Result<std::unique_ptr<protocol::BodyStream>> open(const WatchOwner& owner, const Begin& begin);

  /// Ends what is over and keeps the others alive. Called several times a second, from one thread.
  void tick();

  [[nodiscard]] std::size_t open_streams() const;

 private:
  class Channel;
  class Stream;
  [[nodiscard]] std::vector<std::shared_ptr<Channel>> live() const;

  SessionStore& sessions_;
  Clock& clock_;
  const WatchLimits limits_;
  mutable std::mutex mutex_;
  mutable std::vector<std::weak_ptr<Channel>> channels_;
};

/// One event of the stream: a line of Extended JSON in which `%`, line feed and carriage return are encoded,
/// as clients decode it (client-api.md 14).
[[nodiscard]] std::string change_event(const EjsonDocument& event);
/// The event that tells why a stream ends.
[[nodiscard]] std::string error_event(const Error& error);

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/base/result.hpp>

#include "server/domain/types.hpp"

namespace keyturn::server {

/// The little that a refresh or a check of an access token needs of a session.
struct SessionState {
  std::string app_id;
  std::string user_id;
  std::string device_id;
  std::string provider_type;
  WallTime refresh_expires;
  WallTime last_used;
  bool ended = false;
  EndReason reason = EndReason::none;
};

enum class OpenOutcome { opened, user_disabled, user_deleted, user_changed };
enum class EndOutcome { ended, already_ended, unknown };

/// Durable sessions. Each method is one atomic step; what it reports has been committed durably (rule V2),
/// and is seen by every later call on any thread.
///
/// Thread safety: all members. Errors: `ServiceUnavailable` for every fault of storage; nothing is changed
/// then.
class SessionStore {
 public:
  virtual ~SessionStore() = default;

  /// Stores a new session, stamps the user's `last_authentication`, and records the device, if the user still
  /// exists, is enabled and still has `user_generation`. A device id of zeros, or none, stands for no device
  /// and is not recorded.
  virtual Result<OpenOutcome> open(const Session& session, std::int64_t user_generation) = 0;

  /// Nothing when there never was such a session (or it was purged). Must be quick: one read, often from
  /// memory.
  virtual Result<std::optional<SessionState>> find(std::string_view session_id) = 0;

  /// Ends one session of an app; when `user_id` is not empty only if it is this user's (else `unknown`).
  virtual Result<EndOutcome> end(std::string_view app_id, std::string_view user_id,
                                 std::string_view session_id, EndReason reason, WallTime now) = 0;

  /// Ends all live sessions of a user but `except` and bumps the user's generation. Answers how many were
  /// live.
  virtual Result<int> end_all(std::string_view app_id, std::string_view user_id, std::string_view except,
                              EndReason reason, WallTime now) = 0;

  /// The user's live sessions, newest first, at most 1,000.
  virtual Result<std::vector<Session>> list(std::string_view app_id, std::string_view user_id) = 0;

  /// The devices the user logged in from, newest first, at most 1,000.
  virtual Result<std::vector<Device>> devices(std::string_view app_id, std::string_view user_id) = 0;

  /// Writes gathered `last_used` times in one transaction; never moves one backwards.
  virtual Result<void> touch(const std::vector<std::pair<std::string, WallTime>>& last_used) = 0;

  /// Removes up to `limit` sessions whose refresh token ran out, or that were ended, before `before`. Answers
  /// how many.
  virtual Result<int> purge(WallTime before, int limit) = 0;
};

}  // namespace keyturn::server

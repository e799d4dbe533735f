// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {

/// Until when no refresh of a user is to start, and why: counted on the boot clock of one boot, and void
/// after it.
struct RefreshPause {
  std::string boot_id;
  BootTime not_before;
  BootTime budget_spent_until;  ///< As `Backoff::State`.
  std::int64_t failures = 0;    ///< In a row.
  ErrorCode last_error = ErrorCode::AppUnknownError;
  friend bool operator==(const RefreshPause&, const RefreshPause&) = default;
};

/// What a device keeps of one user of one app.
struct StoredUser {
  std::string user_id;
  bool logged_in = false;
  Secret access_token;
  Secret refresh_token;
  std::string device_id;
  std::string provider_type;    ///< Used for the last log-in.
  std::string profile_json;     ///< Data object of the profile.
  std::string identities_json;  ///< Array of {id, provider_type}.
  /// Counts log-ins, log-outs and switches of the tokens' owner: a refresh that began under another
  /// generation is discarded (rule S5).
  std::int64_t generation = 0;
  /// When the access token was received: on the boot clock of that boot, and in server time (rule S6).
  std::string boot_id;
  BootTime received_boot;
  WallTime received_server_time;
  WallTime received_wall;
  EndReason end_reason = EndReason::none;  ///< Tombstone of the last session (promise 25).
  /// The server ended that session, for whatever reason, and not this device. Set with the tombstone.
  bool ended_by_server = false;
  /// The server's end of that session has been told to no observer yet. Set with the tombstone.
  bool end_untold = false;
  /// After a refresh that failed and ended nothing; obeyed by every process.
  std::optional<RefreshPause> pause;
  std::int64_t order = 0;  ///< Larger is more recent.
  [[nodiscard]] StoredUser copy() const;
};

/// A revocation that the server has not confirmed yet.
struct PendingLogOut {
  std::int64_t id = 0;
  std::string user_id;
  Secret refresh_token;
};

enum class ReplaceOutcome { replaced, generation_changed };

/// What a step changes of a user. The rest stays as it is stored, so that the step takes nothing back that
/// another process has written meanwhile.
enum class UserPart {
  everything,  ///< But the generation and the order, which are the store's.
  tokens,      ///< And their receipt; a pause is over.
  profile,     ///< And the identities.
  end_told,    ///< Whether the end has been told.
  pause,
};

/// A lock across processes that its owner's death releases (rule S2). Destroying it releases it.
class StoreLock {
 public:
  virtual ~StoreLock() = default;
};

/// Durable copy of the sessions of one app on this device. Shared by processes: every read sees what any of
/// them wrote.
///
/// Contract (sdk/token_store/conformance). Each member is one atomic step, durable when it returns. Errors:
/// `StoreLocked` (another process is in the middle of a step; this one has waited a moment, so that it may
/// run on a thread that serves others), `StoreUnavailable`, `StoreCorrupt`, `StoreNewerVersion`,
/// `StoreKeyUnavailable`; nothing is changed then and nothing unreadable is ever deleted. Thread safety: all
/// members.
class TokenStore {
 public:
  virtual ~TokenStore() = default;

  virtual Result<std::vector<StoredUser>> load() = 0;
  virtual Result<std::optional<StoredUser>> load_user(std::string_view user_id) = 0;

  /// Adds or replaces the user whatever is stored (a log-in) and gives it a new generation, which is
  /// answered. With `make_current` it becomes the current user.
  virtual Result<std::int64_t> put(const StoredUser& user, bool make_current) = 0;
  /// Replaces that part of the user if the stored generation is still `user.generation` (a refresh, a new
  /// profile).
  virtual Result<ReplaceOutcome> update(const StoredUser& user, UserPart part) = 0;
  Result<ReplaceOutcome> replace(const StoredUser& user) { return update(user, UserPart::everything); }
  /// As `replace`, and gives the user a new generation, which is answered (a link, which may have opened a
  /// new session). Nothing: the generation had changed.
  virtual Result<std::optional<std::int64_t>> renew(const StoredUser& user) = 0;
  /// Takes the tokens away (log-out, end of session), sets the tombstone, bumps the generation. With
  /// `queue_revocation` this device ends the session, and the refresh token goes into the outbox in the same
  /// step; without, the server has ended it, and that is to be told. When `only_generation` is given and
  /// differs: no change.
  virtual Result<ReplaceOutcome> clear_tokens(std::string_view user_id, EndReason reason,
                                              bool queue_revocation,
                                              std::optional<std::int64_t> only_generation) = 0;
  /// Forgets the user; the refresh token goes into the outbox when `queue_revocation`.
  virtual Result<void> remove(std::string_view user_id, bool queue_revocation) = 0;
  virtual Result<void> set_current(std::string_view user_id) = 0;
  virtual Result<std::optional<std::string>> current() = 0;

  virtual Result<std::vector<PendingLogOut>> outbox() = 0;
  virtual Result<void> delivered(std::int64_t outbox_id) = 0;

  /// Changes whenever any process changed something: cheap enough to ask often.
  virtual Result<std::int64_t> version() = 0;

  /// A file descriptor that becomes readable after another process changed something, or after one that was
  /// about to ended. Made by the first call, always the same from then on, owned by the store, and costs
  /// nothing while nothing changes. -1: it tells of nothing at the moment; ask `version()` from time to time,
  /// and again for this, which tries anew.
  virtual int changes() { return -1; }
  /// Whether there can be one, without making it.
  [[nodiscard]] virtual bool tells_changes() const { return false; }
  /// Makes the descriptor of `changes()` wait for the next change. Ask for that again afterwards.
  virtual void changes_seen() {}

  /// From now on a step waits for another process as long as opening does: for the last steps of an app that
  /// closes, which nobody is held up by.
  virtual void closing() {}

  /// Tries to take the refresh lock of a user without waiting. Null: another process or thread has it.
  virtual Result<std::unique_ptr<StoreLock>> try_lock(std::string_view user_id) = 0;
};

}  // namespace keyturn::sdk

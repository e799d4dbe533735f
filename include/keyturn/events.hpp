// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <keyturn/base/error.hpp>

namespace keyturn {

/// Where a user stands on this device (sdk-behaviour.md section 1).
enum class UserState {
  logged_in,   ///< Has tokens.
  logged_out,  ///< Known, without tokens; profile and identities are kept.
  removed,     ///< Forgotten by this device.
};

/// Something that happened to a user of an app.
struct UserEvent {
  enum class Kind {
    logged_in,
    token_refreshed,
    logged_out,       ///< The app asked for it.
    session_ended,    ///< The server ended the session: send the user to log in; `reason` says why.
    refresh_delayed,  ///< A refresh failed for a passing cause; the session is kept.
    switched,         ///< The user became the current one.
    removed,
    profile_changed,
  };
  Kind kind = Kind::logged_in;
  std::string user_id;
  EndReason reason = EndReason::none;
};

/// Ends a subscription when destroyed or `reset`. After `reset()` returned the observer is not called again,
/// unless `reset` was called from inside the observer. Thread safety: one thread at a time. Lifetime: may
/// outlive the `App`.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::shared_ptr<void> registration) : registration_(std::move(registration)) {}
  void reset() noexcept { registration_.reset(); }

 private:
  std::shared_ptr<void> registration_;
};

/// Called on the SDK's callback thread, one event at a time, in order, with no lock held. It may call
/// anything of the SDK, `get()` included. What it throws is caught and dropped, and a line of the log tells
/// of it; take `result()` in place of `get()` where errors are to be seen.
using UserObserver = std::function<void(const UserEvent&)>;

}  // namespace keyturn

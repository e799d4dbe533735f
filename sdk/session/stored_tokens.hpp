// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>

#include "sdk/session/token_state.hpp"
#include "sdk/token_store/token_book.hpp"

// How stored tokens are judged, by `SessionManager` and by who reads the store without one. Pure.
namespace keyturn::sdk {

/// What is needed to place a stored time on the clocks of now.
struct Moment {
  std::string_view boot_id;
  BootTime boot{};
  WallTime wall{};
};

/// When the user's access token was received (`received_on_this_boot`).
[[nodiscard]] std::optional<Receipt> receipt_of(const StoredUser& user, const Moment& now);

/// The state of the user's access token. `received` empty: not known, the token is refreshed before use.
[[nodiscard]] TokenState state_of(const StoredUser& user, std::optional<Receipt> received, BootTime now,
                                  const RefreshPolicy& policy, std::uint32_t chance);

/// Gives `user` the tokens of `fresh` with their receipt; a pause is over. Without a refresh token the user's
/// own stays.
void take_tokens(StoredUser& user, const StoredUser& fresh);

/// Whom a device acts for: the current user while logged in; after that one's log-out the first of
/// `others()`, most recent first, who is (sdk-behaviour.md section 2). Null: nobody is.
template <class User, class Others, class IsIn>
[[nodiscard]] User user_to_act_for(User current, const Others& others, const IsIn& is_logged_in) {
  if (current && is_logged_in(*current)) return current;
  for (User other : others()) {
    if (is_logged_in(*other)) return other;
  }
  return nullptr;
}

/// The access token of the user to act for, when it may be handed out as it is and nothing else is due
/// (`TokenAction::use`).
[[nodiscard]] std::optional<std::string> token_to_hand_out(const TokenBook& book, const Moment& now,
                                                           const RefreshPolicy& policy, std::uint32_t chance,
                                                           std::chrono::seconds min_validity);

}  // namespace keyturn::sdk

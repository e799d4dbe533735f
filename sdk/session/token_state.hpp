// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <keyturn/base/clock.hpp>

namespace keyturn::sdk {

/// What is to be done before an access token may be handed out.
enum class TokenAction {
  use,
  use_and_refresh,  ///< Hand it out and refresh in the background.
  refresh_first,
  log_in_again,
};

/// When tokens are refreshed. All parts of a life are in thousandths.
struct RefreshPolicy {
  int ahead_earliest = 720;  ///< The background refresh starts at a point between these two,
  int ahead_latest = 880;    ///< drawn for each token, so that clients do not come together (problem 21).
  /// It starts no later than so long before the end, where that is not before the floor (row B-08).
  std::chrono::seconds ahead_of_end{62};
  int ahead_floor = 700;
  /// Assumed of a token whose claims tell no usable life (promise 10).
  std::chrono::seconds unknown_lifetime{300};
  std::chrono::seconds longest_lifetime{std::chrono::hours(24 * 366)};
};

/// What is known of the access token held now, on the time line of `BootClock`. A plain value.
struct TokenState {
  bool has_refresh_token = false;
  bool has_access_token = false;
  bool rejected = false;  ///< The server refused it before its time.
  /// Its age is an estimate by the wall clock (`Receipt`): only for when the server cannot be reached.
  bool unconfirmed = false;
  BootTime received_at{};
  std::chrono::seconds lifetime{0};
  std::chrono::microseconds ahead_after{0};  ///< Age at which the background refresh starts.
};

/// The life of a token from its `exp - iat`; anything that is no sane life counts as `unknown_lifetime`.
[[nodiscard]] constexpr std::chrono::seconds usable_lifetime(std::optional<std::chrono::seconds> claimed,
                                                             const RefreshPolicy& policy) {
  if (!claimed || *claimed <= std::chrono::seconds(0) || *claimed > policy.longest_lifetime)
    return policy.unknown_lifetime;
  return *claimed;
}

/// Age of the background refresh for a token of that life; `chance` spreads it evenly over the allowed span.
[[nodiscard]] constexpr std::chrono::microseconds ahead_point(std::chrono::seconds lifetime,
                                                              const RefreshPolicy& policy,
                                                              std::uint32_t chance) {
  const std::chrono::microseconds life = lifetime;
  auto earliest = life / 1000 * policy.ahead_earliest;
  auto latest = life / 1000 * policy.ahead_latest;
  const auto limit = life - policy.ahead_of_end;
  if (limit >= life / 1000 * policy.ahead_floor) {
    earliest = std::min(earliest, limit);
    latest = std::min(latest, limit);
  }
  // The span is below 2^43 us, so the product fits.
  return earliest + (latest - earliest) * static_cast<std::int64_t>(chance % 65'536U) / 65'536;
}

/// When a token was received, on the boot clock of now.
struct Receipt {
  /// A fact of this boot.
  constexpr Receipt(BootTime received_at) : at(received_at) {}  // NOLINT(google-explicit-constructor)
  constexpr Receipt(BootTime received_at, bool is_confirmed) : at(received_at), confirmed(is_confirmed) {}
  BootTime at;
  bool confirmed = true;
};

/// A token that came with that receipt.
[[nodiscard]] constexpr TokenState token_received(Receipt received,
                                                  std::optional<std::chrono::seconds> claimed,
                                                  const RefreshPolicy& policy, std::uint32_t chance) {
  const auto lifetime = usable_lifetime(claimed, policy);
  return {
      true, true, false, !received.confirmed, received.at, lifetime, ahead_point(lifetime, policy, chance)};
}

/// The longest validity that a caller can ask for: above half of the life, no token would ever do
/// (`User::valid_access_token`).
[[nodiscard]] constexpr std::chrono::microseconds usable_min_validity(std::chrono::seconds asked,
                                                                      std::chrono::seconds lifetime) {
  if (asked <= std::chrono::seconds(0)) return {};
  const std::chrono::microseconds half = std::chrono::microseconds(lifetime) / 2;
  return asked >= lifetime ? half : std::min<std::chrono::microseconds>(asked, half);
}

/// The rule of sdk-behaviour.md section 18 and rules S6, S7: a token is judged by the time since it was
/// received.
[[nodiscard]] constexpr TokenAction decide(const TokenState& state, BootTime now,
                                           std::chrono::seconds min_validity) {
  if (!state.has_refresh_token) return TokenAction::log_in_again;
  if (!state.has_access_token || state.rejected || state.unconfirmed || now < state.received_at)
    return TokenAction::refresh_first;
  const auto age = now - state.received_at;
  if (age >= state.lifetime) return TokenAction::refresh_first;
  if (state.lifetime - age < usable_min_validity(min_validity, state.lifetime))
    return TokenAction::refresh_first;
  return age >= state.ahead_after ? TokenAction::use_and_refresh : TokenAction::use;
}

/// Whether an unconfirmed token may be handed out after all, once a refresh could not be had: an app that
/// starts without a network after a reboot still has its token (promise 4).
[[nodiscard]] constexpr bool may_do_unconfirmed(TokenState state, BootTime now,
                                                std::chrono::seconds min_validity) {
  if (!std::exchange(state.unconfirmed, false)) return false;
  const TokenAction action = decide(state, now, min_validity);
  return action == TokenAction::use || action == TokenAction::use_and_refresh;
}

/// When a stored token was received, told on the boot clock of now.
///
/// In the same boot that is a fact. After a reboot the time that passed is an estimate, which needs to be
/// confirmed (promise 10): it takes the wall clock to have run all the time, and a machine without a battery
/// for its clock may have been off for a second or for a month.
/// Nothing when the clocks tell nothing: the token is then refreshed before use.
struct StoredReceipt {
  std::string_view boot_id;
  BootTime boot{};
  WallTime wall{};
};
[[nodiscard]] constexpr std::optional<Receipt> received_on_this_boot(const StoredReceipt& stored,
                                                                     std::string_view boot_id_now,
                                                                     BootTime boot_now, WallTime wall_now) {
  using std::chrono::microseconds;
  constexpr std::int64_t kFar = std::int64_t{1}
                                << 60;  // beyond any date; keeps the differences from overflow
  if (!stored.boot_id.empty() && stored.boot_id == boot_id_now) {
    if (stored.boot > boot_now || stored.boot < BootTime(microseconds(-kFar))) return std::nullopt;
    return Receipt(stored.boot);
  }
  for (const std::int64_t t : {stored.wall.time_since_epoch().count(), wall_now.time_since_epoch().count()}) {
    if (t <= 0 || t > kFar) return std::nullopt;
  }
  const microseconds age = wall_now - stored.wall;
  if (age < microseconds(0)) return std::nullopt;
  return Receipt(boot_now - age, false);
}

}  // namespace keyturn::sdk

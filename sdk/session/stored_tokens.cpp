// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/stored_tokens.hpp"

#include "sdk/session/token_claims.hpp"

namespace keyturn::sdk {

std::optional<Receipt> receipt_of(const StoredUser& user, const Moment& now) {
  return received_on_this_boot({user.boot_id, user.received_boot, user.received_wall}, now.boot_id, now.boot,
                               now.wall);
}

TokenState state_of(const StoredUser& user, std::optional<Receipt> received, BootTime now,
                    const RefreshPolicy& policy, std::uint32_t chance) {
  if (!user.logged_in) return {};
  TokenState state = token_received(received.value_or(now), read_claims(user.access_token.reveal()).lifetime,
                                    policy, chance);
  state.has_access_token = received.has_value() && !user.access_token.empty();
  return state;
}

void take_tokens(StoredUser& user, const StoredUser& fresh) {
  user.access_token = fresh.access_token.copy();
  if (!fresh.refresh_token.empty()) user.refresh_token = fresh.refresh_token.copy();
  user.boot_id = fresh.boot_id;
  user.received_boot = fresh.received_boot;
  user.received_server_time = fresh.received_server_time;
  user.received_wall = fresh.received_wall;
  user.pause.reset();
}

std::optional<std::string> token_to_hand_out(const TokenBook& book, const Moment& now,
                                             const RefreshPolicy& policy, std::uint32_t chance,
                                             std::chrono::seconds min_validity) {
  const StoredUser* const user = user_to_act_for(
      book.find(book.current), [&] { return book.by_recency(); },
      [](const StoredUser& each) { return each.logged_in; });
  if (user == nullptr) return std::nullopt;
  const TokenState state = state_of(*user, receipt_of(*user, now), now.boot, policy, chance);
  if (decide(state, now.boot, min_validity) != TokenAction::use) return std::nullopt;
  return std::string(user->access_token.reveal());
}

}  // namespace keyturn::sdk

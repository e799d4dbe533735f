// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

/// What one app's store holds, and the steps of the port as plain changes of it. The stores differ only in
/// where they keep it.
///
/// A step that changes something moves `version` on. Thread safety: none.
struct TokenBook {
  std::map<std::string, StoredUser, std::less<>> users;
  std::string current;  ///< User id; empty: none.
  std::vector<PendingLogOut> outbox;
  std::int64_t next_generation = 1;
  std::int64_t next_order = 1;
  std::int64_t next_outbox_id = 1;
  std::int64_t version = 1;
  /// `version` after the last step that a lost session could hang on: a log-in, a link, a log-out.
  std::int64_t milestone = 0;
  /// Users that the steps since the book was read have changed.
  std::set<std::string, std::less<>> touched;

  /// Most recent first.
  [[nodiscard]] std::vector<StoredUser> list() const;
  /// The same without copies. Lifetime: until the book changes.
  [[nodiscard]] std::vector<const StoredUser*> by_recency() const;
  [[nodiscard]] const StoredUser* find(std::string_view user_id) const;
  /// Without what was touched.
  [[nodiscard]] TokenBook copy() const;

  std::int64_t put(const StoredUser& user, bool make_current);
  ReplaceOutcome update(const StoredUser& user, UserPart part);
  std::optional<std::int64_t> renew(const StoredUser& user);
  ReplaceOutcome clear_tokens(std::string_view user_id, EndReason reason, bool queue_revocation,
                              std::optional<std::int64_t> only_generation);
  void remove(std::string_view user_id, bool queue_revocation);
  void set_current(std::string_view user_id);
  void delivered(std::int64_t outbox_id);
  /// Takes over what another store of the same app held and this one does not know: users, with their
  /// generations, and log-outs that wait. What both know is as this one has it.
  void take_over(const TokenBook& other);

 private:
  enum class Step { ordinary, milestone };
  void moved_on(Step step, std::string_view user_id = {});
  StoredUser* of_generation(const StoredUser& user);
  void queue(const StoredUser& user);
};

}  // namespace keyturn::sdk

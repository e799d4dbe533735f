// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "server/domain/types.hpp"

namespace keyturn::server {

enum class CreateUserOutcome { created, identity_taken };
enum class LinkOutcome { linked, already_linked, owned_by_other, type_already_linked, no_user };

/// One page of a list in order of id.
struct PageRequest {
  std::string after;  ///< Id after which to start; empty: from the first.
  bool descending = false;
  int limit = 50;
};

/// Durable users and their identities. An identity (app, provider type, id) belongs to one user at most.
///
/// Thread safety, atomicity, errors: as `SessionStore`.
class UserStore {
 public:
  virtual ~UserStore() = default;

  /// Stores the user with its identities; nothing is stored when one of them is taken.
  virtual Result<CreateUserOutcome> create(const User& user) = 0;
  virtual Result<std::optional<User>> find(std::string_view app_id, std::string_view user_id) = 0;
  virtual Result<std::optional<User>> find_by_identity(std::string_view app_id,
                                                       std::string_view provider_type,
                                                       std::string_view identity_id) = 0;
  virtual Result<std::vector<User>> list(std::string_view app_id, const PageRequest& page) = 0;

  /// Adds an identity at the end. `type_already_linked`: a `local-userpass` identity when there is another
  /// one. For a password identity, the account is bound to the user in the same step.
  virtual Result<LinkOutcome> link(std::string_view app_id, std::string_view user_id,
                                   const Identity& identity) = 0;

  /// Replaces the data of an identity (custom-token metadata is renewed at each log-in).
  virtual Result<void> update_identity_data(std::string_view app_id, std::string_view provider_type,
                                            std::string_view identity_id, const json::Object& data) = 0;

  /// Disables (ending all sessions with `user_disabled`) or enables; bumps the generation. False: no such
  /// user.
  virtual Result<bool> set_disabled(std::string_view app_id, std::string_view user_id, bool disabled,
                                    WallTime now) = 0;

  /// Removes the user with identities, password account and API keys, ending all sessions with
  /// `user_deleted`; the ended sessions stay as tombstones. False: no such user.
  virtual Result<bool> remove(std::string_view app_id, std::string_view user_id, WallTime now) = 0;

  /// Ids of users whose only identity is anonymous and who were last active (log-in or session `last_used`)
  /// before that.
  virtual Result<std::vector<std::string>> idle_anonymous(std::string_view app_id, WallTime before,
                                                          int limit) = 0;
};

}  // namespace keyturn::server

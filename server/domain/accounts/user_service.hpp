// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/directory.hpp"

namespace keyturn::server {

/// The merged data of a user's identities, later ones winning (client-api.md 10).
[[nodiscard]] json::Object merged_profile_data(const User& user);

/// What may be done with users besides logging in. Thread safety and errors: as `SessionService`.
class UserService {
 public:
  UserService(UserStore& users, Clock& clock);

  /// Errors: `UserNotFound` 404 "user not found".
  Result<User> get(std::string_view app_id, std::string_view user_id);
  Result<std::vector<User>> list(std::string_view app_id, const PageRequest& page);
  Result<void> set_disabled(std::string_view app_id, std::string_view user_id, bool disabled);
  Result<void> remove(std::string_view app_id, std::string_view user_id);
  /// Deletes anonymous users that were not used for the app's `anonymous_user_lifetime`. Answers how many.
  Result<int> remove_idle_anonymous(const AppView& app, int limit);

 private:
  UserStore& users_;
  Clock& clock_;
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/user_service.hpp"

#include <algorithm>
#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr int kLargestPage = 50;

Error user_not_found() { return refusal(ErrorCode::UserNotFound, "user not found"); }

}  // namespace

json::Object merged_profile_data(const User& user) {
  json::Object data;
  for (const Identity& identity : user.identities) {
    for (const auto& [name, value] : identity.data) data.set(name, value);
  }
  return data;
}

UserService::UserService(UserStore& users, Clock& clock) : users_(users), clock_(clock) {}

Result<User> UserService::get(std::string_view app_id, std::string_view user_id) {
  auto user = users_.find(app_id, user_id);
  if (!user) return unavailable(user.error());
  if (!*user) return user_not_found();
  return std::move(**user);
}

Result<std::vector<User>> UserService::list(std::string_view app_id, const PageRequest& page) {
  PageRequest bounded = page;
  bounded.limit = std::clamp(page.limit, 1, kLargestPage);
  auto users = users_.list(app_id, bounded);
  if (!users) return unavailable(users.error());
  return users;
}

Result<void> UserService::set_disabled(std::string_view app_id, std::string_view user_id, bool disabled) {
  auto done = users_.set_disabled(app_id, user_id, disabled, clock_.wall_now());
  if (!done) return unavailable(done.error());
  if (!*done) return user_not_found();
  return {};
}

Result<void> UserService::remove(std::string_view app_id, std::string_view user_id) {
  auto done = users_.remove(app_id, user_id, clock_.wall_now());
  if (!done) return unavailable(done.error());
  if (!*done) return user_not_found();
  return {};
}

Result<int> UserService::remove_idle_anonymous(const AppView& app, int limit) {
  const WallTime now = clock_.wall_now();
  auto idle = users_.idle_anonymous(app.app.id, now - app.app.anonymous_user_lifetime, limit);
  if (!idle) return unavailable(idle.error());
  int count = 0;
  for (const std::string& user_id : *idle) {
    auto done = users_.remove(app.app.id, user_id, now);
    if (!done) return unavailable(done.error());
    if (*done) ++count;
  }
  return count;
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/functions/call_limits.hpp"

namespace keyturn::server::functions {

CallLimits::Place CallLimits::enter(std::string_view app, std::string_view user) {
  std::string app_name(app);
  std::string user_name(user);
  {
    const std::scoped_lock lock(mutex_);
    const auto app_count = apps_.find(app);
    if (app_count != apps_.end() && app_count->second >= per_app_) return {nullptr, {}, {}};
    if (!user.empty()) {
      std::size_t& user_count = users_[{app_name, user_name}];
      if (user_count >= per_user_) return {nullptr, {}, {}};
      ++user_count;
    }
    ++apps_[app_name];
  }
  return {this, std::move(app_name), std::move(user_name)};
}

void CallLimits::leave(const std::string& app, const std::string& user) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = apps_.find(app); found != apps_.end() && --found->second == 0) apps_.erase(found);
  if (user.empty()) return;
  const auto found = users_.find({app, user});
  if (found != users_.end() && --found->second == 0) users_.erase(found);
}

std::size_t CallLimits::in_app(std::string_view app) const {
  const std::scoped_lock lock(mutex_);
  const auto found = apps_.find(app);
  return found == apps_.end() ? 0 : found->second;
}

}  // namespace keyturn::server::functions

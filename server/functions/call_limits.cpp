// SPDX-License-Identifier: Apache-2.0
#include "server/functions/call_limits.hpp"

#include <algorithm>
#include <chrono>

namespace keyturn::server::functions {

CallLimits::Place CallLimits::enter(std::string_view app, std::string_view user) {
  std::string app_name(app);
  std::string user_name(user);
  {
    const std::scoped_lock lock(mutex_);
    const auto app_count = apps_.find(app);
    if (app_count != apps_.end() && app_count->second >= per_app_) return {nullptr, {}, {}};
    if (!user.empty()) {
      const auto user_counts = users_.find({app_name, user_name});
      if (user_counts != users_.end() && user_counts->second.admitted >= per_user_) return {nullptr, {}, {}};
      ++users_[{app_name, user_name}].admitted;
    }
    ++apps_[app_name];
  }
  return {this, std::move(app_name), std::move(user_name)};
}

bool CallLimits::Place::wait_for_turn(BootTime deadline, const Clock& clock) {
  if (user_.empty() || has_turn_) return true;
  std::unique_lock lock(owner_->mutex_);
  Counts& counts = owner_->users_[{app_, user_}];  // stays while this place does
  while (counts.running >= owner_->running_per_user_) {
    const auto left = deadline - clock.boot_now();
    if (left.count() <= 0) return false;
    counts.turn.wait_for(lock, std::min<BootTime::duration>(left, std::chrono::seconds(1)));
  }
  ++counts.running;
  has_turn_ = true;
  return true;
}

void CallLimits::leave(const std::string& app, const std::string& user, bool has_turn) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = apps_.find(app); found != apps_.end() && --found->second == 0) apps_.erase(found);
  const auto found = users_.find({app, user});
  if (found == users_.end()) return;
  Counts& counts = found->second;
  if (has_turn) --counts.running;
  if (--counts.admitted == 0) {
    users_.erase(found);
  } else if (counts.running < running_per_user_) {
    counts.turn.notify_one();  // also from one that waited in vain, which may have been woken just then
  }
}

std::size_t CallLimits::in_app(std::string_view app) const {
  const std::scoped_lock lock(mutex_);
  const auto found = apps_.find(app);
  return found == apps_.end() ? 0 : found->second;
}

}  // namespace keyturn::server::functions

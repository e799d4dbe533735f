// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/clock.hpp>

namespace keyturn::server::functions {

/// Counts the calls that run or wait, so that one user's flood costs neither other users nor other apps
/// anything (row B-87). A call first gets a place, or is refused at once; then it waits for its turn, so that
/// one user's slow calls never hold all workers of the app.
///
/// Thread safety: all members.
class CallLimits {
 public:
  CallLimits(std::size_t per_app, std::size_t per_user, std::size_t running_per_user)
      : per_app_(per_app), per_user_(per_user), running_per_user_(running_per_user) {}

  /// One admitted call; gives its place back when it goes. Lifetime: not beyond its `CallLimits`.
  class Place {
   public:
    Place(CallLimits* owner, std::string app, std::string user)
        : owner_(owner), app_(std::move(app)), user_(std::move(user)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (owner_ != nullptr) owner_->leave(app_, user_, has_turn_);
    }
    explicit operator bool() const noexcept { return owner_ != nullptr; }
    /// Waits until fewer than `running_per_user` calls of the user run. False: not before the deadline.
    [[nodiscard]] bool wait_for_turn(BootTime deadline, const Clock& clock);

   private:
    CallLimits* owner_;
    std::string app_;
    std::string user_;
    bool has_turn_ = false;
  };

  /// A false place: a limit is met. An empty user (nobody has logged in yet) counts for the app only.
  [[nodiscard]] Place enter(std::string_view app, std::string_view user);
  [[nodiscard]] std::size_t in_app(std::string_view app) const;

 private:
  struct Counts {
    std::size_t admitted = 0;
    std::size_t running = 0;
    std::condition_variable turn;  ///< One each: who leaves wakes one of the same user's and nobody else.
  };
  void leave(const std::string& app, const std::string& user, bool has_turn);

  const std::size_t per_app_;
  const std::size_t per_user_;
  const std::size_t running_per_user_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> apps_;
  std::map<std::pair<std::string, std::string>, Counts> users_;
};

}  // namespace keyturn::server::functions

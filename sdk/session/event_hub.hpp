// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <keyturn/events.hpp>

#include "sdk/session/callbacks.hpp"

namespace keyturn::sdk {

/// Tells observers of what happened to users.
///
/// Thread safety: all members. Events are told on the callback thread in the order of `tell`. When the app is
/// slow, events that only inform (`token_refreshed`, `refresh_delayed`, `profile_changed`) are left out;
/// those that tell of a change of state never are. What an observer throws is caught, so that the others hear
/// of the event as well.
class EventHub {
 public:
  /// `log` is given a line when an observer throws.
  EventHub(std::shared_ptr<Callbacks> callbacks, std::function<void(const std::string&)> log);

  /// Empty `user_id`: the events of all users.
  [[nodiscard]] Subscription subscribe(UserObserver observer, std::string user_id = {});
  /// `over` is called after the observers, and told whether one of them was there still; false: nobody wanted
  /// to know, and it is not called.
  bool tell(UserEvent event, std::function<void(bool heard)> over = {});

 private:
  class Registration;
  struct List {
    std::mutex mutex;  // a leaf
    std::vector<std::weak_ptr<Registration>> registrations;
  };
  std::shared_ptr<Callbacks> callbacks_;
  const std::function<void(const std::string&)> log_;
  std::shared_ptr<List> list_;
};

}  // namespace keyturn::sdk

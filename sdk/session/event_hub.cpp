// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/event_hub.hpp"

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>

namespace keyturn::sdk {

class EventHub::Registration {
 public:
  Registration(UserObserver observer, std::string user_id)
      : observer_(std::move(observer)), user_id_(std::move(user_id)) {}

  [[nodiscard]] bool wants(const UserEvent& event) const {
    return user_id_.empty() || user_id_ == event.user_id;
  }

  enum class Outcome { cancelled, heard, threw };

  Outcome call(const UserEvent& event) {
    {
      const std::scoped_lock lock(mutex_);
      if (cancelled_) return Outcome::cancelled;
      caller_ = std::this_thread::get_id();
    }
    const bool survived = survives([&] { observer_(event); });
    const std::scoped_lock lock(mutex_);
    caller_ = std::thread::id();
    idle_.notify_all();
    return survived ? Outcome::heard : Outcome::threw;
  }

  /// After this the observer is not called again; waits for a call under way, unless that is the caller
  /// itself.
  void cancel() {
    std::unique_lock lock(mutex_);
    cancelled_ = true;
    idle_.wait(lock,
               [this] { return caller_ == std::thread::id() || caller_ == std::this_thread::get_id(); });
  }

 private:
  const UserObserver observer_;
  const std::string user_id_;
  std::mutex mutex_;
  std::condition_variable idle_;
  bool cancelled_ = false;
  std::thread::id caller_;
};

EventHub::EventHub(std::shared_ptr<Callbacks> callbacks, std::function<void(const std::string&)> log)
    : callbacks_(std::move(callbacks)), log_(std::move(log)), list_(std::make_shared<List>()) {}

Subscription EventHub::subscribe(UserObserver observer, std::string user_id) {
  auto registration = std::make_shared<Registration>(std::move(observer), std::move(user_id));
  {
    const std::scoped_lock lock(list_->mutex);
    std::erase_if(list_->registrations, [](const auto& r) { return r.expired(); });
    list_->registrations.push_back(registration);
  }
  // The subscription owns the registration; its end is the end of the calls.
  return Subscription(
      std::shared_ptr<void>(registration.get(), [registration](void*) { registration->cancel(); }));
}

bool EventHub::tell(UserEvent event, std::function<void(bool heard)> over) {
  using Kind = UserEvent::Kind;
  const bool informs = event.kind == Kind::token_refreshed || event.kind == Kind::refresh_delayed ||
                       event.kind == Kind::profile_changed;
  if (informs && callbacks_->crowded()) return false;
  std::vector<std::shared_ptr<Registration>> wanted;
  {
    const std::scoped_lock lock(list_->mutex);
    for (const auto& weak : list_->registrations) {
      if (auto registration = weak.lock(); registration && registration->wants(event))
        wanted.push_back(std::move(registration));
    }
  }
  if (wanted.empty()) return false;
  callbacks_->run([wanted = std::move(wanted), event = std::move(event), over = std::move(over), log = log_] {
    bool heard = false;
    for (const auto& registration : wanted) {
      const auto outcome = registration->call(event);
      if (outcome == Registration::Outcome::threw) log("observer threw kind=\"user event\"");
      heard = heard || outcome != Registration::Outcome::cancelled;
    }
    if (over) over(heard);
  });
  return true;
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sdk/session/session_manager.hpp"

namespace keyturn::sdk {

/// One refresh of one user, shared by all who wait for it (architecture: "the life of a token"). It belongs
/// to the manager, so that no caller's leaving ends it.
///
/// check again -> lock of the store, waited for on the loop -> read the store anew: another process has
/// refreshed? take that
/// -> POST auth/session -> save -> publish -> wake.
/// Thread safety: loop thread only.
class RefreshFlight : public std::enable_shared_from_this<RefreshFlight> {
 public:
  using Why = SessionManager::Why;
  using Waiter = std::function<void(const Result<void>&)>;

  RefreshFlight(SessionManager& manager, SessionManager::UserRef user, Why why);

  /// The waiter is told at its deadline, or when the flight ends if that is earlier.
  void join(Waiter waiter, BootTime deadline);
  void start();
  /// The owner of the tokens has changed: wakes all waiters now.
  void give_way();
  /// The loop has stopped: forgets all waiters.
  void drop();

 private:
  struct Waiting {
    Waiter waiter;
    BootTime deadline;
  };

  void arm_deadline();
  void tell_late();
  void take_lock();
  /// True when the store made the request needless, or the user is gone; the flight is over then.
  bool settled_by_store();
  void ask_server();
  void on_answer(const Result<HttpResponse>& answer);
  [[nodiscard]] bool came_late() const;
  [[nodiscard]] bool has_expired_on_the_way(const Secret& token) const;
  [[nodiscard]] bool is_of_another_user(const Secret& token) const;
  /// The session is kept; the next try has to wait.
  void fail_for_now(Error error, std::optional<std::chrono::seconds> retry_after);
  void on_token(Secret token, const HttpHeaders& headers);
  /// What the server gave, with its time of receipt.
  bool store_token(const StoredUser& given, bool last);
  void on_session_over(Error error);
  bool store_end(const Error& error, bool last);
  /// While this waited for the store: true when it is over.
  bool overtaken();
  void finish(const Result<void>& result, const char* outcome);
  [[nodiscard]] bool superseded() const { return user_->epoch != epoch_; }
  void finish_superseded();

  SessionManager& manager_;
  const SessionManager::UserRef user_;
  const Why why_;
  std::uint64_t epoch_;
  const BootTime started_at_;
  BootTime asked_at_{};
  int verdicts_ = 0;
  int expired_answers_ = 0;
  bool verdict_given_ = false;
  bool over_ = false;
  Secret refresh_token_;
  std::unique_ptr<StoreLock> lock_;
  std::vector<Waiting> waiting_;
  std::optional<BootTime> armed_for_;
};

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <keyturn/app.hpp>

#include "sdk/session/callbacks.hpp"
#include "sdk/session/session_manager.hpp"

namespace keyturn::sdk {

/// What a `User` refers to: one account and the parts that serve it. One object per account and `App`, so
/// that handles compare by address.
class UserCore {
 public:
  UserCore(std::shared_ptr<SessionManager> sessions, SessionManager::UserRef record)
      : sessions_(std::move(sessions)), record_(std::move(record)) {}
  [[nodiscard]] SessionManager& sessions() const { return *sessions_; }
  [[nodiscard]] const SessionManager::UserRef& record() const { return record_; }

 private:
  std::shared_ptr<SessionManager> sessions_;
  SessionManager::UserRef record_;
};

/// The machine that an `App` runs on; tests bring their own.
struct AppParts {
  SessionParts session;
  std::string boot_id;
  std::function<void()> stop_loop;       ///< Ends the loop: what waits there is destroyed unrun.
  std::function<void()> stop_callbacks;  ///< Runs what waits, then ends the callback thread.
  /// Waits, for a bounded time, while a log-out of this process is on its first way to the server.
  std::function<void(const std::function<bool()>& under_way)> linger;
};

/// An `App` without its handle.
///
/// Thread safety: all members but `close`, which the owner calls once.
class AppCore {
 public:
  /// On the real machine. Errors: as `App`'s constructor.
  static Result<std::shared_ptr<AppCore>> open(App::configuration config);
  static Result<std::shared_ptr<AppCore>> open(const App::configuration& config, AppParts parts);
  AppCore(std::string app_id, std::string base_url, std::shared_ptr<SessionManager> sessions, AppParts parts);
  AppCore(const AppCore&) = delete;
  AppCore& operator=(const AppCore&) = delete;
  ~AppCore();

  [[nodiscard]] const std::string& app_id() const { return app_id_; }
  [[nodiscard]] const std::string& base_url() const { return base_url_; }
  [[nodiscard]] SessionManager& sessions() const { return *sessions_; }
  [[nodiscard]] const std::shared_ptr<Callbacks>& callbacks() const { return parts_.session.callbacks; }
  /// The one core of that account.
  [[nodiscard]] std::shared_ptr<UserCore> core_of(const SessionManager::UserRef& record);
  /// Gives up what is under way and ends the threads.
  void close();

 private:
  const std::string app_id_;
  const std::string base_url_;
  const std::shared_ptr<SessionManager> sessions_;
  AppParts parts_;
  const pid_t owner_ = ::getpid();
  bool closed_ = false;
  std::mutex mutex_;  // a leaf
  std::map<const UserRecord*, std::shared_ptr<UserCore>> cores_;
};

}  // namespace keyturn::sdk

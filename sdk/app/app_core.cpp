// SPDX-License-Identifier: Apache-2.0
#include "sdk/app/app_core.hpp"

#include <algorithm>
#include <utility>

#include "sdk/app/device_description.hpp"
#include "sdk/app/kept_store.hpp"

namespace keyturn::sdk {

Result<std::shared_ptr<AppCore>> AppCore::open(const App::configuration& config, AppParts parts) {
  auto base_url = check_app(config);
  if (!base_url) return base_url.error();
  if (config.request_timeout.count() <= 0)
    return Error(ErrorCode::InvalidConfiguration, "the time of a call must be above zero");
  SessionSettings settings;
  settings.app_id = config.app_id;
  settings.base_url = *base_url;
  settings.boot_id = parts.boot_id;
  settings.device = describe_device(config.app_id, config.device);
  settings.request_timeout = std::min(config.request_timeout, kLongestTimeout);
  settings.attempt_timeout = std::min(config.network.attempt_timeout, settings.request_timeout);
  settings.log = unthrowing(config.log);
  auto sessions = SessionManager::open(std::move(settings), parts.session);
  if (!sessions) return sessions.error();
  return std::make_shared<AppCore>(config.app_id, *base_url, std::move(*sessions), std::move(parts));
}

AppCore::AppCore(std::string app_id, std::string base_url, std::shared_ptr<SessionManager> sessions,
                 AppParts parts)
    : app_id_(std::move(app_id)),
      base_url_(std::move(base_url)),
      sessions_(std::move(sessions)),
      parts_(std::move(parts)) {}

AppCore::~AppCore() { close(); }

std::shared_ptr<UserCore> AppCore::core_of(const SessionManager::UserRef& record) {
  const std::scoped_lock lock(mutex_);
  auto& core = cores_[record.get()];
  if (!core) core = std::make_shared<UserCore>(sessions_, record);
  return core;
}

void AppCore::close() {
  if (std::exchange(closed_, true)) return;
  if (::getpid() != owner_) {
    // A child of fork() has none of the threads, so their parts can neither be stopped nor taken apart.
    [[maybe_unused]] const auto* const left = new std::pair(sessions_, parts_);
    return;
  }
  parts_.linger([this] { return sessions_->finishing(); });
  parts_.stop_loop();
  sessions_->close();
  parts_.stop_callbacks();
}

}  // namespace keyturn::sdk

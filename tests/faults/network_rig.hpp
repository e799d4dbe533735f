// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <keyturn/testing.hpp>

#include "core/crypto/crypto.hpp"
#include "sdk/session/callbacks.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"
#include "sdk/transport/curl_loop.hpp"

namespace keyturn::faults {

inline constexpr const char* kSessionPath = "/api/client/v2.0/auth/session";
inline constexpr const char* kCallPath = "/api/client/v2.0/app/app/functions/call";
inline constexpr const char* kLogInPath = "/api/client/v2.0/app/app/auth/providers/local-userpass/login";

/// One process of a device on the real loop and transport; its pauses are short enough for many rounds,
/// unless said otherwise.
class Device {
 public:
  using UserRef = sdk::SessionManager::UserRef;

  Device(const std::string& base_url, std::unique_ptr<sdk::TokenStore> store,
         std::chrono::milliseconds timeout = std::chrono::seconds(10),
         sdk::BackoffPolicy backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(4), 1'000'000,
                                       std::chrono::seconds(600)},
         sdk::TransportOptions way = {})
      : loop_(std::make_shared<sdk::CurlLoop>(system_clock(), std::move(way))),
        callbacks_(std::make_shared<sdk::CallbackThread>()) {
    sdk::SessionSettings settings;
    settings.app_id = "app";
    settings.base_url = base_url;
    settings.boot_id = "boot";
    settings.request_timeout = timeout;
    settings.backoff = settings.outbox_backoff = backoff;
    const std::shared_ptr<Clock> clock(&system_clock(), [](Clock*) {});
    auto opened = sdk::SessionManager::open(
        std::move(settings), {clock, loop_, std::make_shared<sdk::CurlTransport>(*loop_), std::move(store),
                              callbacks_, [this] { return chance_ = chance_ * 1'103'515'245U + 12'345U; }});
    manager = std::move(*opened);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
    loop_->stop();
    manager->close();
    callbacks_->close();
  }

  Result<UserRef> log_in(const std::string& name = "ada@example.com") {
    auto credentials = std::make_shared<sdk::CredentialsData>();
    credentials->provider = "local-userpass";
    credentials->payload = Secret(R"({"username":")" + name + R"(","password":"correct horse"})");
    auto answer = std::make_shared<std::promise<Result<UserRef>>>();
    auto future = answer->get_future();
    manager->log_in(credentials, [answer](Result<UserRef> user) { answer->set_value(std::move(user)); });
    return future.get();
  }
  Result<std::string> call_function(const UserRef& user, std::string body) {
    auto answer = std::make_shared<std::promise<Result<std::string>>>();
    auto future = answer->get_future();
    manager->call(user, sdk::SessionManager::Bearer::access, "POST", kCallPath, std::move(body),
                  [answer](Result<std::string> text) { answer->set_value(std::move(text)); });
    return future.get();
  }
  /// Refreshes until it works; how many times it had to ask, 0 when it never did.
  int refresh(const UserRef& user, int most = 200) {
    for (int tries = 1; tries <= most; ++tries) {
      const auto done = manager->refresh(user).result();
      if (done) return tries;
      if (done.error().remedy != Remedy::retry_later) return 0;
      if (done.error().code == ErrorCode::RefreshSuspended) --tries;  // nothing was asked
    }
    return 0;
  }

  std::shared_ptr<sdk::SessionManager> manager;

 private:
  std::shared_ptr<sdk::CurlLoop> loop_;
  std::shared_ptr<sdk::CallbackThread> callbacks_;
  static std::uint32_t next_seed() {
    static std::atomic<std::uint32_t> last{0};
    return ++last * 2'654'435'761U;
  }
  std::uint32_t chance_ = next_seed();
};

/// True as soon as the condition is, looked at often; false when it is not within ten seconds.
template <class Condition>
bool comes_true(Condition condition) {
  const BootTime end = system_clock().boot_now() + std::chrono::seconds(10);
  while (!condition()) {
    if (system_clock().boot_now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace keyturn::faults

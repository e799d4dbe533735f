// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sdk/session/possession_transport.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/session/testing/model_server.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"

namespace keyturn::sdk::testing {

inline std::shared_ptr<const CredentialsData> password_of(const std::string& user) {
  auto data = std::make_shared<CredentialsData>();
  data->provider = "local-userpass";
  data->payload = Secret(R"({"username":")" + user + R"(","password":"correct horse"})");
  return data;
}
inline std::shared_ptr<const CredentialsData> anonymous(bool reuse) {
  auto data = std::make_shared<CredentialsData>();
  data->provider = "anon-user";
  data->payload = Secret("{}");
  data->reuse_existing = reuse;
  return data;
}

/// One process of a device: a manager on a loop and a transport of its own, over a store that outlives it.
/// Unless it `hears` its app subscribes to nothing. With `keys` it can serve sessions that are bound to one.
class Process {
 public:
  Process(keyturn::testing::FakeClock& clock, ModelServer& server, std::unique_ptr<TokenStore> disk,
          std::string boot_id = "boot-1", std::uint32_t seed = 1, bool hears = true,
          const std::shared_ptr<DeviceKeys>& keys = nullptr,
          const std::shared_ptr<Callbacks>& callbacks = std::make_shared<InlineCallbacks>())
      : loop(std::make_shared<ManualLoop>(clock)),
        transport(std::make_shared<FakeTransport>(*loop, server)),
        store(std::move(disk)),
        random_(seed) {
    SessionSettings settings;
    settings.app_id = "app";
    settings.base_url = "https://server.test";
    settings.boot_id = std::move(boot_id);
    settings.log = [this](std::string_view line) { log.emplace_back(line); };
    const std::shared_ptr<Clock> shared_clock(&clock, [](Clock*) {});
    std::shared_ptr<HttpTransport> sender = transport;
    if (keys) sender = std::make_shared<PossessionTransport>(transport, shared_clock, loop, keys, false);
    auto opened = SessionManager::open(std::move(settings), {shared_clock, loop, sender, store, callbacks,
                                                             [this] { return random_(); }, nullptr, keys});
    manager = std::move(*opened);
    if (hears) events = manager->subscribe([this](const UserEvent& event) { seen.push_back(event); });
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    loop->stop();
    transport->exchanges.clear();
    manager->close();
    events.reset();
  }

  /// Logs in, turning the loop until the answer is there.
  Result<SessionManager::UserRef> log_in(std::shared_ptr<const CredentialsData> credentials) {
    std::optional<Result<SessionManager::UserRef>> out;
    manager->log_in(std::move(credentials),
                    [&out](Result<SessionManager::UserRef> user) { out.emplace(std::move(user)); });
    loop->run();
    if (!out) return Error(ErrorCode::DeadlineExceeded, "no answer");
    return std::move(*out);
  }
  Result<std::string> token(const SessionManager::UserRef& user,
                            std::chrono::seconds min = std::chrono::seconds(10)) {
    auto pending = manager->valid_access_token(user, min);
    loop->run();
    if (!pending.is_ready()) return Error(ErrorCode::DeadlineExceeded, "no answer");
    return pending.result();
  }
  template <class T>
  Result<T> turn(Pending<T> pending) {
    loop->run();
    if (!pending.is_ready()) return Error(ErrorCode::DeadlineExceeded, "no answer");
    return pending.result();
  }
  [[nodiscard]] int count(UserEvent::Kind kind) const {
    int out = 0;
    for (const UserEvent& event : seen) out += event.kind == kind ? 1 : 0;
    return out;
  }

  std::shared_ptr<ManualLoop> loop;
  std::shared_ptr<FakeTransport> transport;
  std::shared_ptr<TokenStore> store;
  std::shared_ptr<SessionManager> manager;
  std::vector<UserEvent> seen;
  std::vector<std::string> log;
  Subscription events;

 private:
  std::mt19937 random_;
};

}  // namespace keyturn::sdk::testing

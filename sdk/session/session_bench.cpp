// SPDX-License-Identifier: Apache-2.0
// What a tight loop pays for a token of 400 bytes, alone and with eight threads on one user.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "core/crypto/crypto.hpp"
#include "sdk/session/callbacks.hpp"
#include "sdk/session/session_manager.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"

namespace keyturn::sdk {
namespace {

class IdleLoop final : public IoLoop {
 public:
  void post(Task) override {}
  void schedule(std::chrono::milliseconds, Task) override {}
  [[nodiscard]] bool on_loop_thread() const override { return false; }
};
class NoTransport final : public HttpTransport {
 public:
  void send(HttpRequest, Callback) override {}
};

/// A user who has just received a token of 400 bytes.
struct Fixture {
  Fixture() {
    const MemoryTokenStores stores;
    const std::shared_ptr<TokenStore> store = stores.open();
    const std::shared_ptr<Clock> clock(&system_clock(), [](Clock*) {});
    StoredUser user;
    user.user_id = "ada";
    user.logged_in = true;
    const std::string claims = R"({"exp":1800,"iat":0,"pad":")" + std::string(250, 'x') + "\"}";
    token = "e30." + crypto::base64url_encode(claims) + ".";
    token += std::string(400 - token.size(), 's');
    user.access_token = Secret(token);
    user.refresh_token = Secret("r.r.r");
    user.boot_id = "boot";
    user.received_boot = clock->boot_now();
    (void)store->put(user, true);
    SessionSettings settings;
    settings.base_url = "http://127.0.0.1";
    settings.boot_id = "boot";
    manager =
        *SessionManager::open(settings, {clock, std::make_shared<IdleLoop>(), std::make_shared<NoTransport>(),
                                         store, std::make_shared<CallbackThread>(), [] { return 0U; }});
    record = manager->current();
  }
  std::string token;
  std::shared_ptr<SessionManager> manager;
  SessionManager::UserRef record;
};
Fixture& fixture() {
  static Fixture made;
  return made;
}

void BM_StringOf400Bytes(benchmark::State& state) {
  const std::string& token = fixture().token;
  for (auto _ : state) benchmark::DoNotOptimize(std::string(token.data(), token.size()));
}
BENCHMARK(BM_StringOf400Bytes)->Threads(1)->Threads(8);

void BM_AccessToken(benchmark::State& state) {
  const auto user = fixture().record;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        user->cell.read([](std::string_view token, const TokenState&) { return std::string(token); }));
}
BENCHMARK(BM_AccessToken)->Threads(1)->Threads(2)->Threads(8);

void BM_ValidAccessToken(benchmark::State& state) {
  const auto manager = fixture().manager;
  const auto user = fixture().record;
  for (auto _ : state)
    benchmark::DoNotOptimize(manager->valid_access_token(user, std::chrono::seconds(10)).result());
}
BENCHMARK(BM_ValidAccessToken)->Threads(1)->Threads(2)->Threads(8);

}  // namespace
}  // namespace keyturn::sdk

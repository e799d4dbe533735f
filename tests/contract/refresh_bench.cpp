// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include <keyturn/base/clock.hpp>

#include "core/json/json.hpp"
#include "server/api/api.hpp"
#include "server/identity/anonymous/anonymous_provider.hpp"
#include "server/storage/memory/memory_signing_keys.hpp"
#include "server/storage/memory/memory_stores.hpp"

// What the routes cost around the two signatures of a refresh: the same call of the domain with and without
// them.
namespace keyturn::server {
namespace {

class NoMail final : public EmailSender {
 public:
  Result<void> send(const EmailMessage& /*message*/) override { return {}; }
};

struct Server {
  memory::MemoryStores stores;
  memory::MemorySigningKeys keys;
  NoMail mail;
  Clock& clock = system_clock();
  AppDirectory directory{stores.apps(), keys};
  identity::AnonymousProvider anonymous;
  SessionService sessions{directory, stores.sessions(), stores.users(), clock, {&anonymous}};
  UserService users{stores.users(), clock};
  PasswordService passwords{stores.passwords(), stores.users(), stores.apps(), mail, nullptr, clock, {}};
  ApiKeyService api_keys{stores.api_keys(), stores.users(), clock};
  AppService apps{directory, stores.apps(), clock, LifetimeLimits{}};
  Api api{{directory, apps, sessions, users, passwords, api_keys, stores.sessions(), clock}, {}};
  std::string refresh_token;

  explicit Server(const char* algorithm) {
    static_cast<void>(directory.load());
    static_cast<void>(apps.ensure_admin_realm());
    const auto app = apps.create("bench", {});
    static_cast<void>(apps.add_provider(app->id, {{"type", "anon-user"}}));
    TokenSettingsPatch patch;
    patch.access_algorithm = algorithm;
    static_cast<void>(apps.set_token_settings(app->id, patch));
    auto tokens = sessions.log_in(*directory.by_id(app->id), "anon-user", {}, nullptr);
    refresh_token = tokens->refresh_token.reveal();
  }
};

void domain_refresh(benchmark::State& state, const char* algorithm) {
  Server server(algorithm);
  for (auto step : state) benchmark::DoNotOptimize(server.sessions.refresh(server.refresh_token));
}

void api_refresh(benchmark::State& state, const char* algorithm) {
  Server server(algorithm);
  HttpRequest request;
  request.method = "POST";
  request.url = "/api/client/v2.0/auth/session";
  request.headers = {{"Host", "localhost:9090"}, {"Authorization", "Bearer " + server.refresh_token}};
  for (auto step : state) benchmark::DoNotOptimize(server.api.answer(request));
}

BENCHMARK_CAPTURE(domain_refresh, hs256, "HS256");
BENCHMARK_CAPTURE(api_refresh, hs256, "HS256");
BENCHMARK_CAPTURE(domain_refresh, es256, "ES256");
BENCHMARK_CAPTURE(api_refresh, es256, "ES256");

}  // namespace
}  // namespace keyturn::server

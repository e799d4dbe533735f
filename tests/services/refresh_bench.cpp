// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "core/testing/fake_clock.hpp"
#include "server/domain/apps/app_service.hpp"
#include "server/domain/sessions/session_service.hpp"
#include "server/identity/anonymous/anonymous_provider.hpp"
#include "server/storage/memory/memory_signing_keys.hpp"
#include "server/storage/memory/memory_stores.hpp"

// What `POST auth/session` costs without HTTP, as a whole and in its parts. argument: 0 = ES256, 1 = HS256.
namespace keyturn::server {
namespace {

struct World {
  explicit World(bool is_hs256) {
    const auto ready = apps.ensure_admin_realm();
    const std::string id = apps.create("bench", {})->id;
    const auto added = apps.add_provider(id, {{"type", "anon-user"}});
    TokenSettingsPatch patch;
    patch.access_algorithm = is_hs256 ? "HS256" : "ES256";
    const auto set = apps.set_token_settings(id, patch);
    if (!ready || !added || !set) std::abort();
    app = directory.by_id(id);
    const json::Object device{{"platform", "Linux"}};
    for (int i = 0; i < 10'000; ++i) all.push_back(*sessions.log_in(*app, "anon-user", {}, &device));
  }
  std::string_view next_refresh_token() { return all[turn++ % all.size()].refresh_token.reveal(); }
  std::string_view next_access_token() { return all[turn++ % all.size()].access_token.reveal(); }

  keyturn::testing::FakeClock clock;
  memory::MemoryStores stores;
  memory::MemorySigningKeys keys;
  AppDirectory directory{stores.apps(), keys};
  AppService apps{directory, stores.apps(), clock, LifetimeLimits{}};
  identity::AnonymousProvider anonymous;
  SessionService sessions{directory, stores.sessions(), stores.users(), clock, {&anonymous}};
  std::shared_ptr<const AppView> app;
  std::vector<LoginTokens> all;
  std::size_t turn = 0;
};

World& world(bool is_hs256) {
  static World es256(false);
  static World hs256(true);
  return is_hs256 ? hs256 : es256;
}

void Refresh(benchmark::State& state) {
  World& w = world(state.range(0) == 1);
  for (auto _ : state) {
    auto token = w.sessions.refresh(w.next_refresh_token());
    if (!token) state.SkipWithError("refused");
    benchmark::DoNotOptimize(token);
  }
}
BENCHMARK(Refresh)->ArgName("hs256")->Arg(0)->Arg(1);

void CheckAccess(benchmark::State& state) {
  World& w = world(state.range(0) == 1);
  for (auto _ : state) benchmark::DoNotOptimize(w.sessions.check_access(w.next_access_token()));
}
BENCHMARK(CheckAccess)->ArgName("hs256")->Arg(0)->Arg(1);

void PartVerify(benchmark::State& state) {
  World& w = world(false);
  for (auto _ : state) benchmark::DoNotOptimize(check_token(w.directory, w.next_refresh_token()));
}
BENCHMARK(PartVerify);

void PartVerifySignatureOnly(benchmark::State& state) {
  World& w = world(false);
  for (auto _ : state)
    benchmark::DoNotOptimize(jwt::verify_jws(w.next_refresh_token(), w.app->keys->refresh_hs256));
}
BENCHMARK(PartVerifySignatureOnly);

void PartReadClaims(benchmark::State& state) {
  World& w = world(false);
  const std::string payload = jwt::verify_jws(w.next_refresh_token(), w.app->keys->refresh_hs256)->payload;
  for (auto _ : state) benchmark::DoNotOptimize(json::parse(payload));
}
BENCHMARK(PartReadClaims);

void PartFindSession(benchmark::State& state) {
  World& w = world(false);
  const std::string id = check_token(w.directory, w.next_refresh_token())->claims.session_id;
  for (auto _ : state) benchmark::DoNotOptimize(w.stores.sessions().find(id));
}
BENCHMARK(PartFindSession);

void PartMint(benchmark::State& state) {
  World& w = world(state.range(0) == 1);
  const TokenClaims claims = check_token(w.directory, w.next_refresh_token())->claims;
  for (auto _ : state) benchmark::DoNotOptimize(mint_access_token(*w.app, claims, w.clock.wall_now()));
}
BENCHMARK(PartMint)->ArgName("hs256")->Arg(0)->Arg(1);

void PartSignRawEs256(benchmark::State& state) {
  World& w = world(false);
  const std::string text(400, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(w.app->keys->access_es256.sign(text));
}
BENCHMARK(PartSignRawEs256);

void DirectoryLookUp(benchmark::State& state) {
  World& w = world(false);
  const std::string id = w.app->app.client_app_id;
  for (auto _ : state) benchmark::DoNotOptimize(w.directory.by_client_app_id(id));
}
BENCHMARK(DirectoryLookUp)->ThreadRange(1, 2);

}  // namespace
}  // namespace keyturn::server

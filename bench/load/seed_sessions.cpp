// SPDX-License-Identifier: Apache-2.0
// Fills a data folder with apps, users and sessions without going through the network.
//   bench_seed_sessions DATA-DIR SESSIONS
// Makes two apps, `es256` and `hs256` after how their access tokens are signed, with half of the sessions
// each, and prints one line per session: app, client app id, refresh token.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "core/base/object_id.hpp"
#include "core/crypto/crypto.hpp"
#include "server/domain/apps/app_service.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/sessions/token_issuer.hpp"
#include "server/storage/key_files/key_files.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

namespace keyturn::server {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "bench_seed_sessions: %s\n", error.message.c_str());
  return 1;
}

std::string new_id(WallTime now) { return make_object_id(now, crypto::random_bytes(8)); }

int seed(const char* folder, int count) {
  auto stores = sqlite::SqliteStores::open({folder, nullptr});
  if (!stores) return fail(stores.error());
  key_files::FileSigningKeys keys(folder);
  AppDirectory directory((*stores)->apps(), keys);
  if (const auto loaded = directory.load(); !loaded) return fail(loaded.error());
  Clock& clock = system_clock();
  AppService apps(directory, (*stores)->apps(), clock, LifetimeLimits{});
  if (const auto realm = apps.ensure_admin_realm(); !realm) return fail(realm.error());

  for (const char* algorithm : {"es256", "hs256"}) {
    const auto app = apps.create(algorithm, {});
    if (!app) return fail(app.error());
    TokenSettingsPatch patch;
    patch.access_algorithm = std::string_view(algorithm) == "es256" ? "ES256" : "HS256";
    if (const auto set = apps.set_token_settings(app->id, patch); !set) return fail(set.error());
    const auto provider = apps.add_provider(app->id, {{"type", "anon-user"}});
    if (!provider) return fail(provider.error());
    const auto view = directory.by_id(app->id);
    for (int i = 0; i < count / 2; ++i) {
      const WallTime now = clock.wall_now();
      User user;
      user.id = new_id(now);
      user.app_id = app->id;
      user.created = user.last_authentication = now;
      user.identities.push_back({new_id(now), "anon-user", provider->id, {}});
      if (const auto made = (*stores)->users().create(user); !made) return fail(made.error());
      Session session;
      session.id = new_id(now);
      session.app_id = app->id;
      session.user_id = user.id;
      session.device_id = new_id(now);
      session.identity_id = user.identities[0].id;
      session.provider_type = "anon-user";
      session.provider_id = provider->id;
      session.created = session.last_used = now;
      session.refresh_expires = now + app->tokens.refresh_lifetime;
      if (const auto opened = (*stores)->sessions().open(session, 0); !opened) return fail(opened.error());
      std::printf("%s %s %s\n", algorithm, app->client_app_id.c_str(),
                  mint_refresh_token(*view, session).c_str());
    }
  }
  return 0;
}

}  // namespace
}  // namespace keyturn::server

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_seed_sessions DATA-DIR SESSIONS\n", stderr);
    return 2;
  }
  return keyturn::server::seed(argv[1], std::atoi(argv[2]));
}

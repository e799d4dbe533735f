// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/end_sessions.hpp"

#include <filesystem>

#include "server/storage/key_files/key_files.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

namespace keyturn::server::daemon {

Result<int> end_every_session(const Config& config, bool new_keys, Clock& clock) {
  std::error_code fault;
  if (!std::filesystem::exists(config.data / "keyturn.db", fault))
    return Error(ErrorCode::InvalidConfiguration, "option data: no server has ever used this folder");
  sqlite::SqliteOptions options;
  options.folder = config.data;
  options.clock = &clock;
  auto stores = sqlite::SqliteStores::open(options);
  if (!stores) return stores.error();
  auto ended = (*stores)->end_every_session(EndReason::revoked, clock.wall_now());
  if (!ended || !new_keys) return ended;
  const auto apps = (*stores)->apps().all();
  if (!apps) return apps.error();
  key_files::FileSigningKeys keys(config.data, {});
  for (const App& app : *apps) {
    keys.remove(app.domain_id);  // a stop in between is made good by the next call
    if (const auto made = keys.create(app.domain_id); !made) return made.error();
  }
  return ended;
}

}  // namespace keyturn::server::daemon

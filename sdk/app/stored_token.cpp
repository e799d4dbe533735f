// SPDX-License-Identifier: Apache-2.0
#include <keyturn/stored_token.hpp>

#include "sdk/app/kept_store.hpp"
#include "sdk/session/stored_tokens.hpp"

namespace keyturn {

Result<std::optional<std::string>> stored_access_token(const App::configuration& config,
                                                       std::chrono::seconds min_validity) {
  const auto base_url = sdk::check_app(config);
  if (!base_url) return base_url.error();
  if (config.store.kind == TokenStoreConfiguration::Kind::memory) return std::optional<std::string>();
  const auto options = sdk::store_options(config, *base_url);
  if (!options) return options.error();
  const auto book = sdk::read_sqlite_token_store(*options);
  if (!book) return book.error();
  if (!*book) return std::optional<std::string>();
  const std::string boot_id = sdk::boot_id();
  const Clock& clock = system_clock();
  return sdk::token_to_hand_out(**book, {boot_id, clock.boot_now(), clock.wall_now()}, {}, sdk::chance(),
                                min_validity);
}

}  // namespace keyturn

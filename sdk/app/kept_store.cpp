// SPDX-License-Identifier: Apache-2.0
#include "sdk/app/kept_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "sdk/app/default_directory.hpp"
#include "sdk/session/origin.hpp"
#include "sdk/token_store/key_source/key_source.hpp"

namespace keyturn::sdk {
namespace {

std::shared_ptr<KeySource> key_source(const TokenStoreKey& key) {
  switch (key.source()) {
    case TokenStoreKey::Source::file:
      return key_file(key.file());
    case TokenStoreKey::Source::app:
      return app_supplied_key(key.bytes()->copy());
    case TokenStoreKey::Source::secret_service:
      break;
  }
  return secret_service_key();
}

}  // namespace

Result<std::string> check_app(const App::configuration& config) {
  if (config.app_id.empty()) return Error(ErrorCode::InvalidConfiguration, "the app id is empty");
  return check_base_url(config.base_url);
}

Result<SqliteTokenStoreOptions> store_options(const App::configuration& config, const std::string& base_url) {
  SqliteTokenStoreOptions options;
  options.directory = config.store.directory;
  if (options.directory.empty()) {
    auto directory = default_directory();
    if (!directory) return directory.error();
    options.directory = std::move(*directory);
  }
  options.app_id = config.app_id;
  options.base_url = base_url;
  options.keys = key_source(config.store.key);
  options.log = config.log;
  return options;
}

std::string boot_id() {
  // Without a stream, whose first use costs a short program more than all the rest of this file.
  const int file = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::array<char, 64> text{};
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  const std::string_view line(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::string(line.substr(0, line.find('\n')));
}

std::uint32_t chance() {
  std::uint32_t value = 0;
  crypto::fill_random(&value, sizeof(value));
  return value;
}

}  // namespace keyturn::sdk

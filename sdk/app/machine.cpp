// SPDX-License-Identifier: Apache-2.0
// The real parts of an App: clock, loop, transport, store, callback thread.
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/guarded_memory.hpp"
#include "core/crypto/crypto.hpp"
#include "core/jwt/key.hpp"
#include "sdk/app/app_core.hpp"
#include "sdk/app/default_directory.hpp"
#include "sdk/session/origin.hpp"
#include "sdk/session/possession_transport.hpp"
#include "sdk/token_store/key_source/device_key.hpp"
#include "sdk/token_store/key_source/key_source.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"
#include "sdk/transport/curl_loop.hpp"

namespace keyturn::sdk {
namespace {

/// How long closing waits for a log-out to reach the server, so that a short-lived program can tell it.
constexpr std::chrono::milliseconds kLinger{1000};

/// Names this boot of the machine; empty where the system does not say, and then stored times are judged by
/// server time.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::uint32_t chance() {
  const std::string bytes = crypto::random_bytes(sizeof(std::uint32_t));
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

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

/// What is kept on this device.
struct Kept {
  std::shared_ptr<TokenStore> store;
  std::optional<jwt::Key> device_key;  ///< When a session is, or is to be, bound to it.
};

Result<std::optional<jwt::Key>> device_key(const App::configuration& config, const std::string& base_url,
                                           const std::filesystem::path& directory, KeySource& keys) {
  const DeviceKeyFile file(directory, config.app_id, base_url, keys);
  auto text = file.find();
  if (text && !*text && config.bind_sessions) {
    auto made = file.find_or_make([] { return jwt::Key::generate_guarded_es256().private_pem(); });
    if (!made) return made.error();
    *text = std::move(*made);
  }
  if (!text) return text.error();
  if (!*text) return std::optional<jwt::Key>();
  auto key = jwt::Key::guarded_es256_from_pem((*text)->reveal());
  if (!key) return Error(ErrorCode::StoreCorrupt, "the device key is no key");
  return std::optional(std::move(*key));
}

Result<Kept> open_kept(const App::configuration& config, const std::string& base_url) {
  if (config.store.kind == TokenStoreConfiguration::Kind::memory) {
    Kept kept{MemoryTokenStores().open(), std::nullopt};
    if (config.bind_sessions) kept.device_key = jwt::Key::generate_guarded_es256();
    return kept;
  }
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
  auto store = open_sqlite_token_store(options);
  if (!store) return store.error();
  auto key = device_key(config, base_url, options.directory, *options.keys);
  if (!key) return key.error();
  return Kept{std::move(*store), std::move(*key)};
}

/// Looks at the condition from time to time on the loop, until it is over or the time is up.
void linger_on(CurlLoop& loop, const std::function<bool()>& under_way) {
  if (!under_way()) return;
  struct Wait {
    std::mutex mutex;
    std::condition_variable changed;
    bool over = false;
  };
  const auto wait = std::make_shared<Wait>();
  const auto look = std::make_shared<std::function<void()>>();
  const std::weak_ptr<std::function<void()>> again = look;
  *look = [&loop, under_way, wait, again] {
    if (!under_way()) {
      const std::scoped_lock lock(wait->mutex);
      wait->over = true;
      wait->changed.notify_all();
    } else if (const auto next = again.lock()) {
      loop.schedule(std::chrono::milliseconds(2), [next] { (*next)(); });
    }
  };
  loop.post([look] { (*look)(); });
  std::unique_lock lock(wait->mutex);
  wait->changed.wait_for(lock, kLinger, [&wait] { return wait->over; });
}

}  // namespace

Result<std::shared_ptr<AppCore>> AppCore::open(App::configuration config) {
  // Before anything is made on the disk.
  if (config.app_id.empty()) return Error(ErrorCode::InvalidConfiguration, "the app id is empty");
  const auto base_url = check_base_url(config.base_url);
  if (!base_url) return base_url.error();
  auto network = transport_options(config.network);
  if (!network) return network.error();
  auto kept = open_kept(config, *base_url);
  if (!kept) return kept.error();
  // The clock lives as long as the program.
  const std::shared_ptr<Clock> clock(&system_clock(), [](Clock*) {});
  const auto loop = std::make_shared<CurlLoop>(*clock, std::move(*network));
  const auto callbacks =
      std::make_shared<CallbackThread>([owner = ::getpid()] { return ::getpid() != owner; });
  AppParts parts;
  const auto transport = std::make_shared<CurlTransport>(*loop);
  std::shared_ptr<HttpTransport> sender = transport;
  if (kept->device_key) {
    sender = std::make_shared<PossessionTransport>(transport, clock, std::move(*kept->device_key),
                                                   config.bind_sessions);
  }
  parts.session = {clock, loop, sender, std::move(kept->store), callbacks, chance, transport};
  parts.boot_id = boot_id();
  parts.stop_loop = [loop] { loop->stop(); };
  parts.stop_callbacks = [callbacks] { callbacks->close(); };
  parts.linger = [loop](const std::function<bool()>& under_way) { linger_on(*loop, under_way); };
  auto opened = open(config, std::move(parts));
  wipe_traces();  // of the sessions that were read
  return opened;
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
// The real parts of an App: clock, loop, transport, store, callback thread.
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/base/guarded_memory.hpp"
#include "core/crypto/crypto.hpp"
#include "sdk/app/app_core.hpp"
#include "sdk/app/kept_device_keys.hpp"
#include "sdk/app/kept_store.hpp"
#include "sdk/session/possession_transport.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"
#include "sdk/transport/curl_loop.hpp"

namespace keyturn::sdk {
namespace {

/// How long closing waits for a log-out to reach the server, so that a short-lived program can tell it.
constexpr std::chrono::milliseconds kLinger{1000};

/// What is kept on this device.
struct Kept {
  std::shared_ptr<TokenStore> store;
  std::shared_ptr<DeviceKeys> device_keys;
};

Result<Kept> open_kept(const App::configuration& config, const std::string& base_url) {
  if (config.store.kind == TokenStoreConfiguration::Kind::memory) {
    const std::shared_ptr<TokenStore> store = MemoryTokenStores().open();
    return Kept{store, std::make_shared<KeptDeviceKeys>(store)};
  }
  auto options = store_options(config, base_url);
  if (!options) return options.error();
  options->log = unthrowing(config.log);
  auto opened = open_sqlite_token_store(*options);
  if (!opened) return opened.error();
  const std::shared_ptr<TokenStore> store = std::move(*opened);
  return Kept{store, std::make_shared<KeptDeviceKeys>(store, options->directory, config.app_id, base_url,
                                                      options->keys)};
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
  const auto base_url = check_app(config);
  if (!base_url) return base_url.error();
  auto network = transport_options(config.network);
  if (!network) return network.error();
  auto kept = open_kept(config, *base_url);
  if (!kept) return kept.error();
  // The clock lives as long as the program.
  const std::shared_ptr<Clock> clock(&system_clock(), [](Clock*) {});
  const auto loop = std::make_shared<CurlLoop>(*clock, std::move(*network));
  const auto callbacks = std::make_shared<CallbackThread>(
      [log = unthrowing(config.log)] {
        if (log) log("callback threw");
      },
      [owner = ::getpid()] { return ::getpid() != owner; });
  AppParts parts;
  const auto transport = std::make_shared<CurlTransport>(*loop);
  const auto sender =
      std::make_shared<PossessionTransport>(transport, clock, loop, kept->device_keys, config.bind_sessions);
  parts.session = {clock,     loop,   sender,    std::move(kept->store),
                   callbacks, chance, transport, std::move(kept->device_keys)};
  parts.boot_id = boot_id();
  parts.stop_loop = [loop] { loop->stop(); };
  parts.stop_callbacks = [callbacks] { callbacks->close(); };
  parts.linger = [loop](const std::function<bool()>& under_way) { linger_on(*loop, under_way); };
  auto opened = open(config, std::move(parts));
  wipe_traces();  // of the sessions that were read
  return opened;
}

}  // namespace keyturn::sdk

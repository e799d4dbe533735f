// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "sdk/session/device_keys.hpp"
#include "sdk/token_store/key_source/device_key.hpp"
#include "sdk/token_store/token_store.hpp"

namespace keyturn::sdk {

/// The device key in its file beside a store, or in memory for a store that is there alone.
///
/// A key that was had once is served from memory; another one is looked for in the file again, as a process
/// of a later log-in may have made it.
class KeptDeviceKeys final : public DeviceKeys {
 public:
  /// In memory.
  explicit KeptDeviceKeys(std::shared_ptr<TokenStore> store) : store_(std::move(store)) {}
  KeptDeviceKeys(std::shared_ptr<TokenStore> store, const std::filesystem::path& directory,
                 std::string_view app_id, std::string_view base_url, std::shared_ptr<KeySource> keys)
      : store_(std::move(store)),
        keys_(std::move(keys)),
        file_(std::in_place, directory, app_id, base_url, *keys_) {}

  Result<jwt::Key> find(std::string_view thumbprint) override;
  Result<jwt::Key> find_or_make() override;

 private:
  [[nodiscard]] std::optional<jwt::Key> held() const;
  jwt::Key hold(jwt::Key key);
  /// What the file holds; nothing when there is none.
  [[nodiscard]] Result<std::optional<jwt::Key>> read() const;
  [[nodiscard]] Result<bool> is_missed() const;

  const std::shared_ptr<TokenStore> store_;
  const std::shared_ptr<KeySource> keys_;
  const std::optional<DeviceKeyFile> file_;
  mutable std::mutex mutex_;  // a leaf
  std::optional<jwt::Key> key_;
};

}  // namespace keyturn::sdk

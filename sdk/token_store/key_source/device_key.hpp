// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "sdk/token_store/key_source/key_source.hpp"

namespace keyturn::sdk {

/// The key of this device that an app's sessions may be bound to (RFC 9449), in a file of its own beside the
/// store: who steals the tokens alone can refresh nothing. It is made once, synced before it is used, sealed
/// with XChaCha20-Poly1305 under a key from `keys`, and never replaced or deleted.
///
/// Thread safety: all members; any number of processes.
class DeviceKeyFile {
 public:
  /// Lifetime: `keys` outlives it.
  DeviceKeyFile(std::filesystem::path directory, std::string_view app_id, std::string_view base_url,
                KeySource& keys);

  /// The key's text; nothing when there never was one. Errors: `StoreKeyUnavailable`, `StoreCorrupt` for a
  /// file that does not open, `StoreUnavailable`, `InvalidConfiguration` when others may touch it.
  [[nodiscard]] Result<std::optional<Secret>> find() const;
  /// As `find`, and keeps what `make` gives when there is none. The first of several processes decides.
  [[nodiscard]] Result<Secret> find_or_make(const std::function<Secret()>& make) const;

 private:
  const std::filesystem::path directory_;
  const std::string context_;
  const std::string name_;
  const std::string store_id_;
  KeySource& keys_;
};

}  // namespace keyturn::sdk

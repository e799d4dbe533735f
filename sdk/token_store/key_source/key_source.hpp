// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {

inline constexpr std::size_t kStoreKeySize = 64;

/// Where the key that seals a store is kept.
///
/// Contract (key_source_test.cpp). A key has 64 bytes. Errors: `StoreKeyUnavailable` when the place cannot be
/// asked now (locked, not running, not permitted), `InvalidConfiguration` for a place or key that cannot be
/// right. No key is ever replaced or deleted. Thread safety: all members. Waits: 10 s at most.
class KeySource {
 public:
  virtual ~KeySource() = default;
  /// The key of the store of that id. Nothing: the place was asked and has none.
  virtual Result<std::optional<Secret>> find(std::string_view store_id) = 0;
  /// As `find`, and makes a key when there is none. Called for a store that does not exist yet only.
  virtual Result<Secret> find_or_make(std::string_view store_id) = 0;
};

/// A key that the app keeps itself. The same for every store.
[[nodiscard]] std::unique_ptr<KeySource> app_supplied_key(Secret key);

/// A file of 64 random bytes with mode 0600, made with the first store; the same for every store that names
/// the file. Whoever can read the file can read the stores. Folders above are judged as a store's folder is.
[[nodiscard]] std::unique_ptr<KeySource> key_file(std::filesystem::path file);

/// One key per store in the Secret Service of the desktop (gnome-keyring, KWallet, KeePassXC), through
/// libsecret, which is loaded when it is first asked. Any program of the same user that may talk to the
/// service can read the key there: the service does not keep the apps of one user apart (rule S11).
[[nodiscard]] std::unique_ptr<KeySource> secret_service_key();

}  // namespace keyturn::sdk

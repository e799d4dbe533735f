// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/jwt/key.hpp"
#include "server/domain/apps/app_store.hpp"

namespace keyturn::server::identity {

/// The keys that an app's secrets hold. A key is read anew only when its secret has changed.
///
/// Thread safety: all members. At most `kMostKeys` are remembered.
class ConfiguredKeys {
 public:
  static constexpr std::size_t kMostKeys = 1'024;

  explicit ConfiguredKeys(AppStore& apps) : apps_(apps) {}

  /// The usable keys of a provider, in the order of its settings: HS256 keys of 32 to 512 characters,
  /// otherwise PEM public keys. A missing or unusable one is left out. Errors: `ServiceUnavailable` 503.
  Result<std::vector<jwt::Key>> of(const AuthProvider& provider, jwt::Algorithm algorithm);

 private:
  struct Known {
    std::string secret_hash;
    std::optional<jwt::Key> key;
  };

  AppStore& apps_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, jwt::Algorithm>, Known> known_;
};

}  // namespace keyturn::server::identity

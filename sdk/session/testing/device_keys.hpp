// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include "core/jwt/possession_proof.hpp"
#include "sdk/session/device_keys.hpp"

namespace keyturn::sdk::testing {

/// The device key of a test, which may be missing and come back.
class TestDeviceKeys final : public DeviceKeys {
 public:
  TestDeviceKeys() = default;
  explicit TestDeviceKeys(jwt::Key held) : key(std::move(held)) {}

  Result<jwt::Key> find(std::string_view thumbprint) override {
    ++lookups;
    if (key && jwt::thumbprint_of(*key) == thumbprint) return *key;
    return Error(ErrorCode::DeviceKeyUnavailable, "no such key");
  }
  Result<jwt::Key> find_or_make() override {
    if (!key) key = jwt::Key::generate_es256("");
    return *key;
  }

  std::optional<jwt::Key> key;
  int lookups = 0;
};

}  // namespace keyturn::sdk::testing

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/jwt/key.hpp"

namespace keyturn::sdk {

/// The key of this device that sessions may be bound to (RFC 9449), had when a request needs it and not
/// before: a session of another process may be bound to it long after this one has begun, and sessions that
/// are not bound do without it.
///
/// Errors: `DeviceKeyUnavailable` when it is missing, damaged or another one; `StoreKeyUnavailable` and
/// `StoreUnavailable` when that cannot be told at the moment. Thread safety: all members.
class DeviceKeys {
 public:
  DeviceKeys() = default;
  DeviceKeys(const DeviceKeys&) = delete;
  DeviceKeys& operator=(const DeviceKeys&) = delete;
  virtual ~DeviceKeys() = default;

  /// The key with that thumbprint (RFC 7638).
  virtual Result<jwt::Key> find(std::string_view thumbprint) = 0;
  /// The key for a new session. It is made, kept and synced when there is none, unless a session of this
  /// device is bound to one that has gone.
  virtual Result<jwt::Key> find_or_make() = 0;
};

}  // namespace keyturn::sdk

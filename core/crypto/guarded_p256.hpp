// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/secret.hpp>

#include "core/crypto/openssl_handles.hpp"

namespace keyturn::crypto {

/// A P-256 pair whose private half lives in guarded memory (rule S12). OpenSSL, whose memory is not left out
/// of core dumps, has it for the length of one signature, and wipes it then. For a key that signs seldom.
///
/// Thread safety: immutable.
class GuardedP256 {
 public:
  [[nodiscard]] static GuardedP256 generate();
  /// PKCS #8 in the form that `pem` and OpenSSL write, with the public point; nothing for any other. Read
  /// here byte by byte, because OpenSSL's reader leaves copies behind.
  [[nodiscard]] static std::optional<GuardedP256> from_pem(std::string_view pem);
  [[nodiscard]] Secret pem() const;
  /// 0x04, x, y: 65 bytes.
  [[nodiscard]] const std::string& point() const { return point_; }
  /// For one signature: freeing it wipes it.
  [[nodiscard]] KeyHandle open() const;

 private:
  GuardedP256(Secret scalar, std::string point) : scalar_(std::move(scalar)), point_(std::move(point)) {}
  Secret scalar_;  // most significant byte first
  std::string point_;
};

}  // namespace keyturn::crypto

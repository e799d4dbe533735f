// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "core/jwt/key.hpp"

namespace keyturn::jwt {

/// The keys that an issuer publishes (JWK set, RFC 7517 section 5).
///
/// Thread safety: immutable after it was made.
class KeySet {
 public:
  /// Most keys that a set may hold.
  static constexpr std::size_t kMaxKeys = 100;

  /// Reads a set. Keys that `Key::from_jwk` refuses are left out, as RFC 7517 section 5 advises, so the set
  /// may be empty. Errors: `BadRequest` for another shape, more than `kMaxKeys`, symmetric beside public
  /// keys, or one `kid` for two signature keys of allowed algorithms: in the last two cases a token could be
  /// checked with a key that was not meant for it.
  [[nodiscard]] static Result<KeySet> from_jwks(const json::Value& jwks);

  /// The key with exactly that id; null when there is none. A key without `kid` has the empty id.
  [[nodiscard]] const Key* find(std::string_view key_id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  std::vector<Key> keys_;
};

}  // namespace keyturn::jwt

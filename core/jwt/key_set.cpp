// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/key_set.hpp"

#include <utility>

namespace keyturn::jwt {

Result<KeySet> KeySet::from_jwks(const json::Value& jwks) {
  const json::Value* const member = jwks.find("keys");
  const json::Array* const entries = member == nullptr ? nullptr : member->as_array();
  if (entries == nullptr) return Error(ErrorCode::BadRequest, "the JWK set has no array \"keys\"");
  if (entries->size() > kMaxKeys) return Error(ErrorCode::BadRequest, "the JWK set has too many keys");

  KeySet set;
  bool symmetric = false;
  bool asymmetric = false;
  for (const json::Value& jwk : *entries) {
    (jwk.string_at("kty") == "oct" ? symmetric : asymmetric) = true;
    Result<Key> key = Key::from_jwk(jwk);
    if (!key) continue;
    if (set.find(key->id()) != nullptr) return Error(ErrorCode::BadRequest, "the JWK set has two keys of one id");
    set.keys_.push_back(*std::move(key));
  }
  if (symmetric && asymmetric) return Error(ErrorCode::BadRequest, "the JWK set mixes symmetric and public keys");
  return set;
}

const Key* KeySet::find(std::string_view key_id) const noexcept {
  for (const Key& key : keys_) {
    if (key.id() == key_id) return &key;
  }
  return nullptr;
}

}  // namespace keyturn::jwt

// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/key_set.hpp"

#include <algorithm>
#include <utility>

namespace keyturn::jwt {
namespace {

// Whether a token could name this entry for a signature of ours, be the key itself sound or not.
bool is_for_our_signatures(const json::Value& jwk) {
  const auto algorithm = jwk.string_at("alg");
  return algorithm && algorithm_from(*algorithm) &&
         (jwk.find("use") == nullptr || jwk.string_at("use") == "sig");
}

}  // namespace

Result<KeySet> KeySet::from_jwks(const json::Value& jwks) {
  const json::Value* const member = jwks.find("keys");
  const json::Array* const entries = member == nullptr ? nullptr : member->as_array();
  if (entries == nullptr) return Error(ErrorCode::BadRequest, "the JWK set has no array \"keys\"");
  if (entries->size() > kMaxKeys) return Error(ErrorCode::BadRequest, "the JWK set has too many keys");

  KeySet set;
  std::vector<std::string_view> ids;
  bool symmetric = false;
  bool asymmetric = false;
  for (const json::Value& jwk : *entries) {
    (jwk.string_at("kty") == "oct" ? symmetric : asymmetric) = true;
    if (!is_for_our_signatures(jwk)) continue;
    const std::string_view id = jwk.string_at("kid").value_or("");
    if (std::find(ids.begin(), ids.end(), id) != ids.end())
      return Error(ErrorCode::BadRequest, "the JWK set has two keys of one id");
    ids.push_back(id);
    if (Result<Key> key = Key::from_jwk(jwk); key) set.keys_.push_back(*std::move(key));
  }
  if (symmetric && asymmetric)
    return Error(ErrorCode::BadRequest, "the JWK set mixes symmetric and public keys");
  return set;
}

const Key* KeySet::find(std::string_view key_id) const noexcept {
  for (const Key& key : keys_) {
    if (key.id() == key_id) return &key;
  }
  return nullptr;
}

}  // namespace keyturn::jwt

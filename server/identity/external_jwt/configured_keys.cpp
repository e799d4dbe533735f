// SPDX-License-Identifier: Apache-2.0
#include "server/identity/external_jwt/configured_keys.hpp"

#include <utility>

#include "core/crypto/crypto.hpp"
#include "server/domain/accounts/provider_rules.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::identity {
namespace {

std::optional<jwt::Key> read_key(jwt::Algorithm algorithm, std::string_view secret) {
  if (algorithm == jwt::Algorithm::hs256 &&
      (secret.size() < kLeastHmacSecret || secret.size() > kMostHmacSecret)) {
    return std::nullopt;
  }
  auto key = algorithm == jwt::Algorithm::hs256 ? jwt::Key::hmac({}, secret)
                                                : jwt::Key::from_pem({}, algorithm, secret);
  if (!key) return std::nullopt;
  return *std::move(key);
}

}  // namespace

Result<std::vector<jwt::Key>> ConfiguredKeys::of(const AuthProvider& provider, jwt::Algorithm algorithm) {
  std::vector<jwt::Key> keys;
  for (const std::string& name : signing_key_names(provider)) {
    auto secret = apps_.secret_by_name(provider.app_id, name);
    if (!secret) return unavailable(secret.error());
    if (!*secret) continue;
    const std::tuple id(provider.app_id, name, algorithm);
    std::string hash = crypto::sha256((*secret)->reveal());
    std::optional<jwt::Key> key;
    bool is_known = false;
    {
      const std::scoped_lock lock(mutex_);
      const auto found = known_.find(id);
      is_known = found != known_.end() && found->second.secret_hash == hash;
      if (is_known) key = found->second.key;
    }
    if (!is_known) {
      key = read_key(algorithm, (*secret)->reveal());
      const std::scoped_lock lock(mutex_);
      if (known_.size() >= kMostKeys) known_.clear();
      known_.insert_or_assign(id, Known{std::move(hash), key});
    }
    if (key) keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace keyturn::server::identity

// SPDX-License-Identifier: Apache-2.0
#include "server/storage/memory/memory_signing_keys.hpp"

#include "core/crypto/crypto.hpp"

namespace keyturn::server::memory {

Result<std::shared_ptr<const SigningKeys>> MemorySigningKeys::create(std::string_view domain_id) {
  const std::string base =
      std::string(domain_id.substr(0, 8)) + "-" + crypto::hex_encode(crypto::random_bytes(4));
  Result<jwt::Key> access = jwt::Key::hmac(base + "-h", crypto::random_bytes(32));
  if (!access) return access.error();
  Result<jwt::Key> refresh = jwt::Key::hmac(base + "-r", crypto::random_bytes(32));
  if (!refresh) return refresh.error();
  auto keys = std::make_shared<const SigningKeys>(
      SigningKeys{jwt::Key::generate_es256(base + "-e"), std::move(*access), std::move(*refresh)});
  const std::scoped_lock lock(mutex_);
  keys_.insert_or_assign(std::string(domain_id), keys);
  return keys;
}

Result<std::shared_ptr<const SigningKeys>> MemorySigningKeys::load(std::string_view domain_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = keys_.find(domain_id);
  if (found == keys_.end())
    return Error(ErrorCode::InvalidConfiguration, "there are no signing keys for this app");
  return found->second;
}

void MemorySigningKeys::remove(std::string_view domain_id) {
  const std::scoped_lock lock(mutex_);
  const auto found = keys_.find(domain_id);
  if (found != keys_.end()) keys_.erase(found);
}

}  // namespace keyturn::server::memory

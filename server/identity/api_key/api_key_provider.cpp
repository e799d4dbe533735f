// SPDX-License-Identifier: Apache-2.0
#include "server/identity/api_key/api_key_provider.hpp"

#include <utility>

#include "server/domain/accounts/api_key_service.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::identity {

Result<ProvenIdentity> ApiKeyProvider::verify(const App& app, const AuthProvider& /*provider*/,
                                              const json::Object& credentials, WallTime /*now*/) {
  const json::Value* text = credentials.find("key");
  if (text == nullptr || text->as_string() == nullptr)
    return refusal(ErrorCode::BadRequest, "'key' is a required string");
  std::string hash = hash_of_api_key(*text->as_string());
  auto found = keys_.find_by_hash(app.id, hash);
  if (!found) return unavailable(found.error());
  if (!*found || (*found)->disabled) return not_accepted();
  const ApiKey& key = **found;

  ProvenIdentity proven;
  proven.identity_id = key.id;
  proven.evidence = std::move(hash);
  if (key.user_id.empty()) {
    proven.user_type = UserType::server;
    proven.data.set("name", key.name);
  } else {
    proven.existing_user_id = key.user_id;
  }
  return proven;
}

Result<bool> ApiKeyProvider::still_holds(const App& app, const ProvenIdentity& proven) {
  auto key = keys_.find_by_hash(app.id, proven.evidence);
  if (!key) return unavailable(key.error());
  return *key && !(*key)->disabled;
}

}  // namespace keyturn::server::identity

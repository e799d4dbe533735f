// SPDX-License-Identifier: Apache-2.0
#include "server/identity/password/password_provider.hpp"

#include "core/crypto/crypto.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::identity {
namespace {

/// Base64 without padding, as encoded Argon2 hashes have it.
std::string unpadded(std::string_view bytes) {
  std::string text = crypto::base64_encode(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

/// An encoded hash that no password has, made without the work of making one.
std::string hash_of_nobody(const crypto::PasswordCost& cost) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_bytes / 1024) +
         ",t=" + std::to_string(cost.passes) + ",p=1$" + unpadded(crypto::random_bytes(16)) + "$" +
         unpadded(crypto::random_bytes(32));
}

Error wrong_password() { return refusal(ErrorCode::InvalidPassword, 401, "unauthorized"); }

}  // namespace

PasswordProvider::PasswordProvider(PasswordStore& accounts, crypto::PasswordCost cost, PasswordGate* gate)
    : accounts_(accounts), cost_(cost), gate_(gate), nobodys_hash_(hash_of_nobody(cost)) {}

Result<ProvenIdentity> PasswordProvider::verify(const App& app, const AuthProvider& /*provider*/,
                                                const json::Object& credentials, WallTime /*now*/) {
  const json::Value* username = credentials.find("username");
  const json::Value* password = credentials.find("password");
  if (username == nullptr || username->as_string() == nullptr || password == nullptr ||
      password->as_string() == nullptr) {
    return refusal(ErrorCode::BadRequest, "'username' and 'password' are required strings");
  }
  auto found = accounts_.find(app.id, *username->as_string());
  if (!found) return unavailable(found.error());
  const bool is_known = found->has_value();
  const std::string& hash = is_known ? (*found)->password_hash : nobodys_hash_;
  const auto check = [&] { return crypto::verify_password(*password->as_string(), hash); };
  const Result<bool> is_right = gate_ == nullptr ? Result<bool>(check()) : gate_->run(check);
  if (!is_right) return is_right.error();
  if (!is_known || !*is_right) return wrong_password();
  const PasswordAccount& account = **found;
  if (!account.confirmed) return not_accepted();

  ProvenIdentity proven;
  proven.identity_id = account.id;
  proven.data.set("email", account.email);
  proven.evidence = account.password_hash;
  if (crypto::needs_rehash(account.password_hash, cost_)) {
    // Only an improvement: when it fails, the log-in goes on with the old hash.
    std::string better = crypto::hash_password(*password->as_string(), cost_);
    const auto replaced = accounts_.rehash(app.id, account.id, account.password_hash, better);
    if (replaced && *replaced) proven.evidence = std::move(better);
  }
  return proven;
}

Result<bool> PasswordProvider::still_holds(const App& app, const ProvenIdentity& proven) {
  auto account = accounts_.find_by_id(app.id, proven.identity_id);
  if (!account) return unavailable(account.error());
  return *account && (*account)->password_hash == proven.evidence;
}

}  // namespace keyturn::server::identity

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/ports.hpp"

namespace keyturn::server::identity {

/// `api-key`: a key of a user logs in as its owner, a key of the app as a user of type `server`
/// (client-api.md 7.5). The key is found by its hash, so nothing is compared byte by byte. Thread safety: all
/// members.
class ApiKeyProvider final : public IdentityProvider {
 public:
  explicit ApiKeyProvider(ApiKeyStore& keys) : keys_(keys) {}

  [[nodiscard]] std::string_view type() const noexcept override { return "api-key"; }
  Result<ProvenIdentity> verify(const App& app, const AuthProvider& provider, const json::Object& credentials,
                                WallTime now) override;
  /// Whether the key is still there and enabled.
  Result<bool> still_holds(const App& app, const ProvenIdentity& proven) override;

 private:
  ApiKeyStore& keys_;
};

}  // namespace keyturn::server::identity

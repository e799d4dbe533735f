// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/crypto/password_hash.hpp"
#include "server/domain/accounts/credential_store.hpp"
#include "server/domain/accounts/password_gate.hpp"
#include "server/domain/ports.hpp"

namespace keyturn::server::identity {

/// `local-userpass`: an e-mail address and a password (client-api.md 7.4, 7.5).
///
/// Thread safety: all members. `verify` hashes a password: call it in the password lane. An unknown address
/// costs as much as a wrong password (rule V15). A hash of another cost is made anew when the password is
/// right (row B-75).
class PasswordProvider final : public IdentityProvider {
 public:
  PasswordProvider(PasswordStore& accounts, crypto::PasswordCost cost, PasswordGate* gate = nullptr);

  [[nodiscard]] std::string_view type() const noexcept override { return "local-userpass"; }
  Result<ProvenIdentity> verify(const App& app, const AuthProvider& provider, const json::Object& credentials,
                                WallTime now) override;
  /// Whether the account still has the password that was checked.
  Result<bool> still_holds(const App& app, const ProvenIdentity& proven) override;

 private:
  PasswordStore& accounts_;
  crypto::PasswordCost cost_;
  PasswordGate* gate_;
  std::string nobodys_hash_;  ///< Of no password, with the usual cost.
};

}  // namespace keyturn::server::identity

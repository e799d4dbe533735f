// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/domain/ports.hpp"

namespace keyturn::server::identity {

/// `anon-user`: proves nothing, so each log-in is somebody new. Thread safety: all members.
class AnonymousProvider final : public IdentityProvider {
 public:
  [[nodiscard]] std::string_view type() const noexcept override { return "anon-user"; }
  /// The identity's id is `<24 hexadecimal>-<24 lower-case letters>` (client-api.md 7.5). Never fails.
  Result<ProvenIdentity> verify(const App& app, const AuthProvider& provider, const json::Object& credentials,
                                WallTime now) override;
};

}  // namespace keyturn::server::identity

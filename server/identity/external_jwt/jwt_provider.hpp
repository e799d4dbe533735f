// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/base/clock.hpp>

#include "core/jwt/jwt.hpp"
#include "server/domain/ports.hpp"
#include "server/identity/external_jwt/configured_keys.hpp"
#include "server/identity/external_jwt/jwks_cache.hpp"

namespace keyturn::server::identity {

/// `custom-token`: a JWT of another issuer (client-api.md 7.5), checked with keys from the app's secrets or
/// from the issuer's JWK set.
///
/// Thread safety: all members. May wait for the fetcher: not for the I/O thread. Every refusal is the same
/// 401 `AuthError` "unauthorized"; what cannot be known now is 503.
class JwtProvider final : public IdentityProvider {
 public:
  JwtProvider(AppStore& apps, JwksFetcher& fetcher, Clock& clock)
      : configured_(apps), published_(fetcher, clock) {}

  [[nodiscard]] std::string_view type() const noexcept override { return "custom-token"; }
  Result<ProvenIdentity> verify(const App& app, const AuthProvider& provider, const json::Object& credentials,
                                WallTime now) override;

 private:
  Result<jwt::VerifiedJws> verify_published(const AuthProvider& provider, std::string_view token);
  Result<jwt::VerifiedJws> verify_configured(const AuthProvider& provider, std::string_view token);

  ConfiguredKeys configured_;
  JwksCache published_;
};

}  // namespace keyturn::server::identity

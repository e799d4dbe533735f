// SPDX-License-Identifier: Apache-2.0
#include "server/identity/external_jwt/jwt_provider.hpp"

#include <utility>

#include "core/json/json.hpp"
#include "server/domain/apps/settings.hpp"
#include "server/domain/refusal.hpp"
#include "server/identity/external_jwt/claims.hpp"

namespace keyturn::server::identity {

Result<jwt::VerifiedJws> JwtProvider::verify_published(const AuthProvider& provider, std::string_view token) {
  const std::string address(text_at(provider.config, "jwkURI"));
  std::optional<jwt::Key> key;
  std::optional<Error> fault;
  auto jws = jwt::verify_jws(
      token,
      [&](std::string_view key_id) -> const jwt::Key* {
        auto found = published_.find(address, key_id);
        if (!found) {
          fault = found.error();
          return nullptr;
        }
        key = *std::move(found);
        return key ? &*key : nullptr;
      },
      jwt::Encoding::lenient);
  if (fault) return *fault;
  return jws;
}

Result<jwt::VerifiedJws> JwtProvider::verify_configured(const AuthProvider& provider,
                                                        std::string_view token) {
  const auto algorithm = jwt::algorithm_from(text_at(provider.config, "signingAlgorithm"));
  if (!algorithm) return not_accepted();
  auto keys = configured_.of(provider, *algorithm);
  if (!keys) return keys.error();
  for (const jwt::Key& key : *keys) {
    if (auto jws = jwt::verify_jws(token, key, jwt::Encoding::lenient)) return jws;
  }
  return not_accepted();
}

Result<ProvenIdentity> JwtProvider::verify(const App& app, const AuthProvider& provider,
                                           const json::Object& credentials, WallTime now) {
  const json::Value* token = credentials.find("token");
  if (token == nullptr || token->as_string() == nullptr)
    return refusal(ErrorCode::BadRequest, "'token' is a required string");
  auto jws = flag_at(provider.config, "useJWKURI") ? verify_published(provider, *token->as_string())
                                                   : verify_configured(provider, *token->as_string());
  if (!jws) return jws.error().code == ErrorCode::ServiceUnavailable ? jws.error() : not_accepted();
  const auto claims = json::parse(jws->payload);
  if (!claims || claims->as_object() == nullptr) return not_accepted();
  auto proven = read_claims(*claims->as_object(), app, provider, now);
  if (!proven) return not_accepted();
  return *std::move(proven);
}

}  // namespace keyturn::server::identity

// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/possession_proof.hpp"

#include <array>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/compact.hpp"

namespace keyturn::jwt {
namespace {

constexpr std::string_view kType = "dpop+jwt";
constexpr std::size_t kLongestId = 128;
constexpr std::size_t kLongestNonce = 256;

Error refused() { return {ErrorCode::InvalidDpopProof, "the proof of possession is invalid"}; }

std::string thumbprint_of(const json::Object& public_jwk) {
  return crypto::base64url_encode(crypto::sha256(json::write(public_jwk)));
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// The key that the header carries. Members that could fetch or replace a key are refused.
std::optional<Key> key_in(const json::Object& header) {
  const json::Value* type = header.find("typ");
  const json::Value* algorithm = header.find("alg");
  const json::Value* jwk = header.find("jwk");
  if (header.size() != 3 || type == nullptr || algorithm == nullptr || jwk == nullptr) return std::nullopt;
  if (type->as_string() == nullptr || *type->as_string() != kType) return std::nullopt;
  if (algorithm->as_string() == nullptr || *algorithm->as_string() != "ES256") return std::nullopt;
  const json::Object* members = jwk->as_object();
  if (members == nullptr || members->contains("k")) return std::nullopt;
  json::Object with_algorithm = *members;  // RFC 7517 makes `alg` optional, our keys always have one
  if (!with_algorithm.contains("alg")) with_algorithm.set("alg", "ES256");
  auto key = Key::from_jwk(with_algorithm);
  if (!key || key->algorithm() != Algorithm::es256) return std::nullopt;
  return *std::move(key);
}

bool read_text(const json::Object& claims, std::string_view name, std::size_t longest, std::string& out) {
  const json::Value* value = claims.find(name);
  if (value == nullptr || value->as_string() == nullptr) return false;
  out = *value->as_string();
  return !out.empty() && out.size() <= longest;
}

}  // namespace

std::string thumbprint_of(const Key& key) {
  const json::Object jwk = key.public_jwk();
  return jwk.size() == 0 ? std::string() : thumbprint_of(jwk);
}

std::string mint_proof(const Key& key, const PossessionClaims& claims) {
  const json::Object header{{"typ", kType}, {"alg", "ES256"}, {"jwk", key.public_jwk()}};
  json::Object payload{
      {"htm", claims.method}, {"htu", claims.url}, {"iat", seconds_of(claims.issued_at)}, {"jti", claims.id}};
  if (!claims.nonce.empty()) payload.set("nonce", claims.nonce);
  std::string proof = crypto::base64url_encode(json::write(header));
  proof += '.';
  proof += crypto::base64url_encode(json::write(payload));
  const std::string signature = key.sign(proof);
  proof += '.';
  proof += crypto::base64url_encode(signature);
  return proof;
}

Result<CheckedProof> check_proof(std::string_view compact) {
  if (compact.size() > kMaxProofBytes) return refused();
  const auto parts = split(compact);
  if (!parts) return refused();
  const auto header_text = decode(parts->header, Encoding::strict);
  const auto payload_text = decode(parts->payload, Encoding::strict);
  const auto signature = decode(parts->signature, Encoding::strict);
  if (!header_text || !payload_text || !signature) return refused();
  const auto header = object_in(*header_text);
  const auto payload = object_in(*payload_text);
  if (!header || !payload) return refused();
  const auto key = key_in(*header);
  if (!key || !key->verify(parts->signed_text, *signature)) return refused();

  CheckedProof proof;
  const auto issued_at = time_at(*payload, "iat");
  if (!issued_at || !read_text(*payload, "htm", 16, proof.claims.method) ||
      !read_text(*payload, "htu", kMaxProofBytes, proof.claims.url) ||
      !read_text(*payload, "jti", kLongestId, proof.claims.id)) {
    return refused();
  }
  if (payload->contains("nonce") && !read_text(*payload, "nonce", kLongestNonce, proof.claims.nonce))
    return refused();
  proof.claims.issued_at = *issued_at;
  proof.thumbprint = thumbprint_of(key->public_jwk());
  return proof;
}

}  // namespace keyturn::jwt

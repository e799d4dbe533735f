// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/key.hpp"

#include <array>
#include <optional>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/crypto/signature.hpp"
#include "core/json/json.hpp"

namespace keyturn::jwt {
namespace {

constexpr std::size_t kMinHmacKeySize = 32;  // RFC 7518 section 3.2

constexpr std::array<std::string_view, 4> kNames{"HS256", "RS256", "ES256", "EdDSA"};

Error refusal(const char* why) { return {ErrorCode::BadRequest, why}; }

std::optional<crypto::SignatureScheme> scheme_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
      return crypto::SignatureScheme::rsa_pkcs1_sha256;
    case Algorithm::es256:
      return crypto::SignatureScheme::ecdsa_p256_sha256;
    case Algorithm::eddsa:
      return crypto::SignatureScheme::ed25519;
    case Algorithm::hs256:
      break;
  }
  return std::nullopt;
}

std::string header_of(const std::string& id, Algorithm algorithm) {
  json::Object header{{"alg", to_string(algorithm)}};
  if (!id.empty()) header.set("kid", id);
  header.set("typ", "JWT");
  return crypto::base64url_encode(json::write(header));
}

// RFC 7517 sections 4.2 and 4.3; a key may be meant for something else than signatures.
bool may_verify(const json::Value& jwk) {
  if (jwk.find("use") != nullptr && jwk.string_at("use") != "sig") return false;
  const json::Value* const operations = jwk.find("key_ops");
  if (operations == nullptr) return true;
  if (operations->as_array() == nullptr) return false;
  for (const json::Value& operation : *operations->as_array()) {
    const std::string* const name = operation.as_string();
    if (name != nullptr && *name == "verify") return true;
  }
  return false;
}

std::optional<std::string> bytes_at(const json::Value& jwk, std::string_view name) {
  const auto text = jwk.string_at(name);
  return text ? crypto::base64url_decode(*text) : std::nullopt;
}

std::optional<crypto::SignatureKey> public_key_from(const json::Value& jwk, Algorithm algorithm) {
  const auto type = jwk.string_at("kty");
  if (algorithm == Algorithm::rs256 && type == "RSA") {
    const auto modulus = bytes_at(jwk, "n");
    const auto exponent = bytes_at(jwk, "e");
    return modulus && exponent ? crypto::SignatureKey::from_rsa(*modulus, *exponent) : std::nullopt;
  }
  if (algorithm == Algorithm::es256 && type == "EC" && jwk.string_at("crv") == "P-256") {
    const auto x = bytes_at(jwk, "x");
    const auto y = bytes_at(jwk, "y");
    return x && y ? crypto::SignatureKey::from_p256_point(*x, *y) : std::nullopt;
  }
  if (algorithm == Algorithm::eddsa && type == "OKP" && jwk.string_at("crv") == "Ed25519") {
    const auto point = bytes_at(jwk, "x");
    return point ? crypto::SignatureKey::from_ed25519(*point) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) noexcept {
  return kNames[static_cast<std::size_t>(algorithm)];
}

Result<Algorithm> algorithm_from(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Algorithm>(i);
  }
  return refusal("the algorithm is not on the allow-list");
}

struct Key::Material {
  Material(std::string key_id, Algorithm key_algorithm)
      : id(std::move(key_id)), algorithm(key_algorithm), encoded_header(header_of(id, algorithm)) {}

  std::string id;
  Algorithm algorithm;
  std::string encoded_header;
  Secret secret;                             // of an HMAC key
  std::optional<crypto::SignatureKey> pair;  // of every other
};

Key::Key(std::shared_ptr<const Material> material) : material_(std::move(material)) {}

Result<Key> Key::hmac(std::string id, std::string_view secret) {
  if (secret.size() < kMinHmacKeySize) return refusal("an HMAC key has at least 32 bytes");
  auto material = std::make_shared<Material>(std::move(id), Algorithm::hs256);
  material->secret = Secret(secret);
  return Key(std::move(material));
}

Result<Key> Key::from_pem(std::string id, Algorithm algorithm, std::string_view pem) {
  const auto scheme = scheme_of(algorithm);
  if (!scheme) return refusal("a PEM cannot hold an HMAC key");
  auto pair = crypto::SignatureKey::from_pem(*scheme, pem);
  if (!pair) return refusal("the PEM holds no key that is fit for the algorithm");
  auto material = std::make_shared<Material>(std::move(id), algorithm);
  material->pair = *std::move(pair);
  return Key(std::move(material));
}

Result<Key> Key::from_jwk(const json::Value& jwk) {
  const auto name = jwk.string_at("alg");
  if (!name) return refusal("the JWK names no algorithm");
  const Result<Algorithm> algorithm = algorithm_from(*name);
  if (!algorithm) return algorithm.error();
  if (!may_verify(jwk)) return refusal("the JWK is not meant for checking signatures");
  if (jwk.find("kid") != nullptr && !jwk.string_at("kid")) return refusal("the JWK's kid is no text");
  std::string id(jwk.string_at("kid").value_or(""));

  if (*algorithm == Algorithm::hs256) {
    if (jwk.string_at("kty") != "oct") return refusal("the JWK's kty does not fit its algorithm");
    auto secret = bytes_at(jwk, "k");
    if (!secret) return refusal("the JWK's k is no base64url");
    Result<Key> key = hmac(std::move(id), *secret);
    wipe_memory(secret->data(), secret->size());
    return key;
  }
  // Whoever published the private part has lost the key.
  if (jwk.find("d") != nullptr) return refusal("the JWK holds a private key");
  auto pair = public_key_from(jwk, *algorithm);
  if (!pair) return refusal("the JWK holds no key that is fit for its algorithm");
  auto material = std::make_shared<Material>(std::move(id), *algorithm);
  material->pair = *std::move(pair);
  return Key(std::move(material));
}

Key Key::generate_es256(std::string id) {
  auto material = std::make_shared<Material>(std::move(id), Algorithm::es256);
  material->pair = crypto::SignatureKey::generate_p256();
  return Key(std::move(material));
}

Result<Key> Key::guarded_es256_from_pem(std::string_view pem) {
  auto pair = crypto::SignatureKey::guarded_p256_from_pem(pem);
  if (!pair) return refusal("the PEM holds no P-256 pair");
  auto material = std::make_shared<Material>("", Algorithm::es256);
  material->pair = *std::move(pair);
  return Key(std::move(material));
}

Key Key::generate_guarded_es256() {
  auto material = std::make_shared<Material>("", Algorithm::es256);
  material->pair = crypto::SignatureKey::generate_guarded_p256();
  return Key(std::move(material));
}

const std::string& Key::id() const noexcept { return material_->id; }

Algorithm Key::algorithm() const noexcept { return material_->algorithm; }

bool Key::can_sign() const noexcept { return !material_->pair || material_->pair->can_sign(); }

const std::string& Key::encoded_header() const noexcept { return material_->encoded_header; }

Secret Key::private_pem() const { return material_->pair ? material_->pair->private_pem() : Secret(); }

json::Object Key::public_jwk() const {
  const auto point = material_->pair ? material_->pair->p256_point() : std::nullopt;
  if (!point) return {};
  return {{"crv", "P-256"},
          {"kty", "EC"},
          {"x", crypto::base64url_encode(point->x)},
          {"y", crypto::base64url_encode(point->y)}};
}

std::string Key::sign(std::string_view data) const {
  if (material_->pair) return material_->pair->sign(data);
  const auto mac = crypto::hmac_sha256(material_->secret.reveal(), data);
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

bool Key::verify(std::string_view data, std::string_view signature) const {
  if (material_->pair) return material_->pair->verify(data, signature);
  const auto mac = crypto::hmac_sha256(material_->secret.reveal(), data);
  return crypto::constant_time_equal({reinterpret_cast<const char*>(mac.data()), mac.size()}, signature);
}

}  // namespace keyturn::jwt

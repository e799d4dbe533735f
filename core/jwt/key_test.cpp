// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/key.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/crypto/crypto.hpp"
#include "core/crypto/sample_keys.hpp"
#include "core/json/json.hpp"
#include "core/jwt/key_set.hpp"

namespace keyturn::jwt {
namespace {

namespace sample_keys = crypto::sample_keys;

// The public keys of RFC 7515 appendices A.1 and A.3 and RFC 8037 appendix A.2.
constexpr const char* kOct =
    R"({"kty":"oct","kid":"o","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8"})";
constexpr const char* kEc =
    R"({"kty":"EC","kid":"e","alg":"ES256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr const char* kOkp =
    R"({"kty":"OKP","kid":"d","alg":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

json::Value jwk(const char* text, const char* name = nullptr, json::Value value = {}) {
  json::Value parsed = json::parse(text).value();
  if (name != nullptr) parsed.as_object()->set(name, std::move(value));
  return parsed;
}

json::Value without(const char* text, const char* name) {
  json::Value parsed = json::parse(text).value();
  EXPECT_TRUE(parsed.as_object()->erase(name));
  return parsed;
}

void expect_refused(const Result<Key>& key) {
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::BadRequest);
}

TEST(Algorithm, IsOnTheAllowListByItsExactNameOnly) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
    EXPECT_EQ(algorithm_from(to_string(algorithm)).value(), algorithm);
  }
  for (const char* const name : {"", "none", "None", "NONE", "hs256", "HS256 ", "HS384", "HS512", "RS384",
                                 "PS256", "ES384", "ES256K", "EDDSA", "Ed25519"}) {
    EXPECT_FALSE(algorithm_from(name)) << name;
  }
}

TEST(HmacKey, NeedsThirtyTwoBytes) {
  expect_refused(Key::hmac("id", ""));
  expect_refused(Key::hmac("id", std::string(31, 'k')));
  EXPECT_TRUE(Key::hmac("id", std::string(32, 'k')));
  EXPECT_TRUE(Key::hmac("id", std::string(33, 'k')));
  EXPECT_TRUE(Key::hmac("id", std::string(512, 'k')));
}

TEST(HmacKey, SignsAndChecks) {
  const Key key = Key::hmac("id", std::string(32, 'k')).value();
  EXPECT_EQ(key.id(), "id");
  EXPECT_EQ(key.algorithm(), Algorithm::hs256);
  EXPECT_TRUE(key.can_sign());
  EXPECT_TRUE(key.private_pem().empty());
  const std::string mac = key.sign("m");
  EXPECT_EQ(mac.size(), 32U);
  EXPECT_TRUE(key.verify("m", mac));
  EXPECT_FALSE(key.verify("n", mac));
  EXPECT_FALSE(key.verify("m", mac.substr(0, 31)));
  EXPECT_FALSE(key.verify("m", ""));
  EXPECT_FALSE(Key::hmac("id", std::string(33, 'k')).value().verify("m", mac));
}

TEST(Es256Key, ComesBackFromItsPem) {
  const Key key = Key::generate_es256("id");
  const Key again = Key::from_pem("other", Algorithm::es256, key.private_pem().reveal()).value();
  EXPECT_TRUE(again.can_sign());
  EXPECT_EQ(again.id(), "other");
  EXPECT_TRUE(again.verify("m", key.sign("m")));
}

TEST(PemKey, FitsItsAlgorithmOnly) {
  EXPECT_TRUE(Key::from_pem("", Algorithm::rs256, sample_keys::kRsa2048Pair));
  EXPECT_TRUE(Key::from_pem("", Algorithm::eddsa, sample_keys::kEd25519Pair));
  expect_refused(Key::from_pem("", Algorithm::hs256, sample_keys::kRsa2048Pair));
  expect_refused(Key::from_pem("", Algorithm::es256, sample_keys::kRsa2048Pair));
  expect_refused(Key::from_pem("", Algorithm::eddsa, sample_keys::kRsa2048Pair));
  expect_refused(Key::from_pem("", Algorithm::rs256, sample_keys::kRsa1024));
  expect_refused(Key::from_pem("", Algorithm::rs256, sample_keys::kRsaPss));
  expect_refused(Key::from_pem("", Algorithm::es256, sample_keys::kP384));
  expect_refused(Key::from_pem("", Algorithm::es256, ""));
}

TEST(Key, EncodesItsHeaderWithAlgKidTyp) {
  EXPECT_EQ(crypto::base64url_decode(Key::hmac("k\"1", std::string(32, 'k')).value().encoded_header()),
            R"({"alg":"HS256","kid":"k\"1","typ":"JWT"})");
  EXPECT_EQ(crypto::base64url_decode(Key::generate_es256("").encoded_header()),
            R"({"alg":"ES256","typ":"JWT"})");
}

TEST(Jwk, IsReadForEachAlgorithm) {
  EXPECT_EQ(Key::from_jwk(jwk(kOct)).value().algorithm(), Algorithm::hs256);
  EXPECT_TRUE(Key::from_jwk(jwk(kOct)).value().can_sign());
  EXPECT_EQ(Key::from_jwk(jwk(kEc)).value().algorithm(), Algorithm::es256);
  EXPECT_FALSE(Key::from_jwk(jwk(kEc)).value().can_sign());
  EXPECT_EQ(Key::from_jwk(jwk(kOkp)).value().id(), "d");
  EXPECT_EQ(Key::from_jwk(without(kOkp, "kid")).value().id(), "");
}

TEST(Jwk, NeedsItsAlgorithmAndTheKtyThatFits) {
  for (const char* const text : {kOct, kEc, kOkp}) {
    expect_refused(Key::from_jwk(without(text, "alg")));
    expect_refused(Key::from_jwk(without(text, "kty")));
    for (const char* const alg : {"", "none", "HS384", "RS256", "ES384", "PS256", "A256GCM"})
      expect_refused(Key::from_jwk(jwk(text, "alg", alg)));
    expect_refused(Key::from_jwk(jwk(text, "alg", 1)));
    expect_refused(Key::from_jwk(jwk(text, "kid", 1)));
  }
  expect_refused(Key::from_jwk(jwk(kEc, "alg", "HS256")));
  expect_refused(Key::from_jwk(jwk(kEc, "kty", "oct")));
  expect_refused(Key::from_jwk(jwk(kEc, "kty", "EC ")));
  expect_refused(Key::from_jwk(jwk(kEc, "crv", "P-384")));
  expect_refused(Key::from_jwk(without(kEc, "crv")));
  expect_refused(Key::from_jwk(jwk(kOkp, "crv", "X25519")));
  expect_refused(Key::from_jwk(jwk(kOkp, "kty", "EC")));
  for (const char* const text : {"null", "[]", "\"x\"", "{}", "1"}) expect_refused(Key::from_jwk(jwk(text)));
}

TEST(Jwk, NeverTurnsPublicKeyTextIntoAnHmacKey) {
  json::Value mixed = jwk(kEc, "k", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8");
  mixed.as_object()->set("alg", "HS256");
  expect_refused(Key::from_jwk(mixed));
  expect_refused(Key::from_jwk(jwk(kOct, "k", std::string(sample_keys::kRsa1024))));
  expect_refused(Key::from_jwk(jwk(kOct, "k", "")));
  expect_refused(Key::from_jwk(jwk(kOct, "k", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLg")));  // 31 bytes
  expect_refused(Key::from_jwk(jwk(kOct, "k", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8=")));
  expect_refused(Key::from_jwk(jwk(kOct, "k", nullptr)));
}

TEST(Jwk, ObeysUseAndKeyOps) {
  EXPECT_TRUE(Key::from_jwk(jwk(kEc, "use", "sig")));
  EXPECT_TRUE(Key::from_jwk(jwk(kEc, "key_ops", json::Array{"verify"})));
  EXPECT_TRUE(Key::from_jwk(jwk(kEc, "key_ops", json::Array{"sign", "verify"})));
  for (const json::Value& use :
       {json::Value("enc"), json::Value("SIG"), json::Value(""), json::Value(nullptr), json::Value(1)}) {
    expect_refused(Key::from_jwk(jwk(kEc, "use", use)));
  }
  for (const json::Value& operations :
       {json::Value(json::Array{}), json::Value(json::Array{"sign"}),
        json::Value(json::Array{"sign, verify"}), json::Value("verify"), json::Value(json::Array{1})}) {
    expect_refused(Key::from_jwk(jwk(kEc, "key_ops", operations)));
  }
}

TEST(Jwk, RefusesAPublishedPrivateKeyAndBentCoordinates) {
  expect_refused(Key::from_jwk(jwk(kEc, "d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")));
  expect_refused(Key::from_jwk(jwk(kOkp, "d", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")));
  expect_refused(Key::from_jwk(jwk(kEc, "x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEQ")));
  expect_refused(Key::from_jwk(jwk(kEc, "x", "AH_NzidwD2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")));
  expect_refused(Key::from_jwk(jwk(kEc, "y", "")));
  expect_refused(Key::from_jwk(without(kEc, "y")));
  expect_refused(Key::from_jwk(jwk(kOkp, "x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ")));
}

json::Value set_of(std::initializer_list<json::Value> keys) {
  return json::Object{{"keys", json::Array(keys)}};
}

TEST(KeySet, FindsByTheExactId) {
  const auto set = KeySet::from_jwks(set_of({jwk(kEc), jwk(kOkp)}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->size(), 2U);
  ASSERT_NE(set->find("e"), nullptr);
  EXPECT_EQ(set->find("e")->algorithm(), Algorithm::es256);
  EXPECT_EQ(set->find("d")->algorithm(), Algorithm::eddsa);
  for (const char* const id : {"", "E", "e ", "x"}) EXPECT_EQ(set->find(id), nullptr) << id;
}

TEST(KeySet, LeavesOutWhatItCannotUse) {
  const auto set = KeySet::from_jwks(set_of(
      {jwk(kEc), jwk(kOkp, "alg", "ES512"), jwk(kEc, "use", "enc"), json::Value(5), json::Value(nullptr)}));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->size(), 1U);
  EXPECT_EQ(KeySet::from_jwks(set_of({}))->size(), 0U);
}

TEST(KeySet, RefusesWhatLeavesTheChoiceOpen) {
  EXPECT_FALSE(KeySet::from_jwks(set_of({jwk(kEc), jwk(kEc)})));
  EXPECT_FALSE(KeySet::from_jwks(set_of({jwk(kEc), jwk(kOkp, "kid", "e")})));
  EXPECT_FALSE(KeySet::from_jwks(set_of({without(kEc, "kid"), without(kOkp, "kid")})));
  EXPECT_FALSE(KeySet::from_jwks(set_of({jwk(kEc), jwk(kOct)})));
  EXPECT_TRUE(KeySet::from_jwks(set_of({jwk(kOct)})));
}

TEST(KeySet, RefusesAnotherShapeAndTooManyKeys) {
  for (const char* const text : {"null", "[]", "{}", R"({"keys":{}})", R"({"keys":null})"})
    EXPECT_FALSE(KeySet::from_jwks(jwk(text))) << text;
  json::Array keys;
  for (std::size_t i = 0; i < KeySet::kMaxKeys; ++i) keys.push_back(jwk(kOkp, "kid", std::to_string(i)));
  EXPECT_EQ(KeySet::from_jwks(json::Object{{"keys", keys}})->size(), KeySet::kMaxKeys);
  keys.push_back(jwk(kOkp, "kid", "one more"));
  EXPECT_FALSE(KeySet::from_jwks(json::Object{{"keys", keys}}));
}

}  // namespace
}  // namespace keyturn::jwt

// SPDX-License-Identifier: Apache-2.0
#include "core/jwt/possession_proof.hpp"

#include <gtest/gtest.h>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"

namespace keyturn::jwt {
namespace {

// RFC 9449 section 4.1, and the thumbprint of its key from section 6.1.
constexpr const char* kPublishedProof =
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpD"
    "a0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6"
    "IlAtMjU2In19."
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu"
    "Y29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-"
    "FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-"
    "FNyJK70nfbV37xRZT3Lg";
constexpr const char* kPublishedThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const PossessionClaims kClaims{"POST", "https://auth.example.com/api/client/v2.0/auth/session", "id-1",
                               WallTime(std::chrono::seconds(1'700'000'000)), ""};

/// A proof with any header and payload, signed by the key.
std::string signed_by(const Key& key, const json::Object& header, const json::Object& payload) {
  const std::string text =
      crypto::base64url_encode(json::write(header)) + "." + crypto::base64url_encode(json::write(payload));
  return text + "." + crypto::base64url_encode(key.sign(text));
}

class PossessionProof : public ::testing::Test {
 protected:
  const Key key = Key::generate_es256("k");
  json::Object header{{"typ", "dpop+jwt"}, {"alg", "ES256"}, {"jwk", key.public_jwk()}};
  json::Object payload{
      {"htm", "POST"}, {"htu", "https://example.com/"}, {"iat", std::int64_t{1'700'000'000}}, {"jti", "id"}};

  [[nodiscard]] bool is_accepted() const { return check_proof(signed_by(key, header, payload)).has_value(); }
};

TEST_F(PossessionProof, PublishedExampleIsAccepted) {
  const auto proof = check_proof(kPublishedProof);
  ASSERT_TRUE(proof.has_value());
  EXPECT_EQ(proof->thumbprint, kPublishedThumbprint);
  EXPECT_EQ(proof->claims.method, "POST");
  EXPECT_EQ(proof->claims.url, "https://server.example.com/token");
  EXPECT_EQ(proof->claims.id, "-BwC3ESc6acc2lTc");
  EXPECT_EQ(proof->claims.issued_at, WallTime(std::chrono::seconds(1'562'262'616)));
}

TEST_F(PossessionProof, WhatIsMintedIsAcceptedWithTheKeysThumbprint) {
  PossessionClaims claims = kClaims;
  claims.nonce = "n-1";
  const auto proof = check_proof(mint_proof(key, claims));
  ASSERT_TRUE(proof.has_value());
  EXPECT_EQ(proof->thumbprint, thumbprint_of(key));
  EXPECT_EQ(proof->claims.url, claims.url);
  EXPECT_EQ(proof->claims.nonce, "n-1");
  EXPECT_EQ(proof->claims.issued_at, claims.issued_at);
}

TEST_F(PossessionProof, AnyChangedByteOfTheSignedTextIsRefused) {
  const std::string good = mint_proof(key, kClaims);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(check_proof(bad).has_value()) << i;
  }
}

TEST_F(PossessionProof, AKeyThatDidNotSignIsRefused) {
  EXPECT_TRUE(is_accepted());
  header.set("jwk", Key::generate_es256("other").public_jwk());
  EXPECT_FALSE(is_accepted());
}

TEST_F(PossessionProof, HeadersOfAnotherFormAreRefused) {
  const json::Object good = header;
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, json::Value>>{{"typ", "JWT"},
                                                                  {"alg", "HS256"},
                                                                  {"alg", "none"},
                                                                  {"jwk", "text"},
                                                                  {"kid", "k"},
                                                                  {"crit", json::Array{}}}) {
    header = good;
    header.set(name, value);
    EXPECT_FALSE(is_accepted()) << name;
  }
}

TEST_F(PossessionProof, APublishedPrivateKeyIsRefused) {
  json::Object jwk = key.public_jwk();
  jwk.set("d", "AAAA");
  header.set("jwk", jwk);
  EXPECT_FALSE(is_accepted());
}

TEST_F(PossessionProof, ASymmetricKeyIsRefused) {
  const std::string secret(32, 's');
  const Key mac = Key::hmac("", secret).value();
  header.set("jwk", json::Object{{"kty", "oct"}, {"k", crypto::base64url_encode(secret)}, {"alg", "HS256"}});
  EXPECT_FALSE(check_proof(signed_by(mac, header, payload)).has_value());
}

TEST_F(PossessionProof, ClaimsThatAreMissingOrOfAnotherFormAreRefused) {
  const json::Object good = payload;
  for (const char* name : {"htm", "htu", "iat", "jti"}) {
    payload = {};
    for (const auto& [each, value] : good) {
      if (each != name) payload.set(each, value);
    }
    EXPECT_FALSE(is_accepted()) << name;
  }
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, json::Value>>{{"htm", std::int64_t{1}},
                                                                  {"iat", "now"},
                                                                  {"iat", std::int64_t{-1}},
                                                                  {"jti", ""},
                                                                  {"jti", std::string(129, 'x')},
                                                                  {"nonce", ""},
                                                                  {"nonce", std::int64_t{7}}}) {
    payload = good;
    payload.set(name, value);
    EXPECT_FALSE(is_accepted()) << name;
  }
  payload = good;
  payload.set("jti", std::string(128, 'x'));
  EXPECT_TRUE(is_accepted());
}

TEST_F(PossessionProof, OversizedAndMalformedTextsAreRefused) {
  EXPECT_FALSE(check_proof("").has_value());
  EXPECT_FALSE(check_proof("a.b").has_value());
  EXPECT_FALSE(check_proof("a.b.c.d.e").has_value());
  EXPECT_FALSE(check_proof(std::string(kMaxProofBytes + 1, 'a')).has_value());
  EXPECT_EQ(check_proof("").error().code, ErrorCode::InvalidDpopProof);
}

TEST_F(PossessionProof, AProofIsNoToken) {
  EXPECT_FALSE(verify_jws(mint_proof(key, kClaims), key).has_value());
}

}  // namespace
}  // namespace keyturn::jwt

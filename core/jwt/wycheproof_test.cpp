// SPDX-License-Identifier: Apache-2.0
// Runs the published vectors of Wycheproof, which are read where they lie and are not part of the project.
// Without them the tests say so and pass: the cases beside this file are the project's own.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/crypto/aead.hpp"
#include "core/crypto/crypto.hpp"
#include "core/crypto/signature.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "core/jwt/key_set.hpp"

namespace keyturn::jwt {
namespace {

std::filesystem::path vectors_folder() {
  if (const char* const named = std::getenv("KEYTURN_VECTORS"); named != nullptr && *named != '\0')
    return named;
  return std::filesystem::path(KEYTURN_SOURCE_DIR) / "../shared/vectors";
}

std::optional<json::Value> read_vectors(const std::string& name) {
  const std::filesystem::path path = vectors_folder() / "wycheproof" / name;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "PASSED OVER: no vectors at " << path
              << "; set KEYTURN_VECTORS to the folder that holds wycheproof/\n";
    return std::nullopt;
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  json::Limits limits;
  limits.max_bytes = std::size_t{64} << 20;
  auto value = json::parse(text, limits);
  EXPECT_TRUE(value) << name << ": " << value.error().message;
  return value ? std::optional(*std::move(value)) : std::nullopt;
}

template <class Visit>
int for_each_test(const json::Value& file, const Visit& visit) {
  int count = 0;
  for (const json::Value& group : *file.find("testGroups")->as_array()) {
    for (const json::Value& test : *group.find("tests")->as_array()) {
      visit(group, test);
      ++count;
    }
  }
  EXPECT_EQ(count, file.int_at("numberOfTests"));
  return count;
}

std::string bytes_at(const json::Value& value, std::string_view name) {
  return crypto::hex_decode(*value.string_at(name)).value();
}

std::string name_of(const json::Value& test) {
  return "tcId " + std::to_string(*test.int_at("tcId")) + " " +
         std::string(test.string_at("comment").value_or(""));
}

// The token of a test; an object (JSON serialization) as its text.
std::string token_of(const json::Value& test) {
  const json::Value* const token = test.find(test.find("jws") != nullptr ? "jws" : "jwe");
  return token->as_string() != nullptr ? *token->as_string() : json::write(*token);
}

const json::Value& published_key(const json::Value& group) {
  static const json::Value none;
  for (const char* const name : {"public", "private"}) {
    if (const json::Value* const key = group.find(name)) return *key;
  }
  return none;
}

// True when the token is accepted with the group's key or key set.
bool accepts(const json::Value& jwk, const std::string& token) {
  if (jwk.find("keys") != nullptr) {
    const auto set = KeySet::from_jwks(jwk);
    return set && verify_jws(token, [&set](std::string_view id) { return set->find(id); });
  }
  const auto key = Key::from_jwk(jwk);
  return key && verify_jws(token, *key);
}

// The `alg` names of a key or key set.
std::vector<std::string> algorithms_of(const json::Value& jwk) {
  std::vector<std::string> names;
  if (const json::Value* const keys = jwk.find("keys")) {
    for (const json::Value& key : *keys->as_array())
      names.emplace_back(key.string_at("alg").value_or("(none)"));
  } else {
    names.emplace_back(jwk.string_at("alg").value_or("(none)"));
  }
  return names;
}

bool is_on_the_allow_list(const json::Value& jwk) {
  for (const std::string& name : algorithms_of(jwk)) {
    if (algorithm_from(name)) return true;
  }
  return false;
}

struct Tally {
  int accepted = 0;
  int refused = 0;
  std::vector<std::string> not_allowed;
};

// Checks each test against what a strict verifier must do. `corrected` are the tests whose published result
// is turned.
Tally run_tokens(const json::Value& file, const std::set<std::int64_t>& corrected) {
  Tally tally;
  for_each_test(file, [&](const json::Value& group, const json::Value& test) {
    const json::Value& jwk = published_key(group);
    bool expected = test.string_at("result") == "valid";
    if (corrected.count(*test.int_at("tcId")) != 0) expected = !expected;
    if (expected && !is_on_the_allow_list(jwk)) {
      expected = false;
      tally.not_allowed.push_back(name_of(test) + " (" + algorithms_of(jwk).front() + ")");
    }
    const bool accepted = accepts(jwk, token_of(test));
    EXPECT_EQ(accepted, expected) << name_of(test) << " " << token_of(test);
    ++(accepted ? tally.accepted : tally.refused);
  });
  return tally;
}

void report(const char* what, const Tally& tally) {
  std::cerr << what << ": accepted " << tally.accepted << ", refused " << tally.refused
            << ", of these valid but with an algorithm that is not allowed " << tally.not_allowed.size()
            << '\n';
  for (const std::string& test : tally.not_allowed) std::cerr << "  not allowed: " << test << '\n';
}

TEST(Wycheproof, JsonWebSignatures) {
  const auto file = read_vectors("json_web_signature_test.json");
  if (!file) return;
  // 367 and 370 are marked invalid but are byte for byte the valid 357; 372 and 373 are marked valid but hold
  // a '?'.
  std::string tokens[4];
  const std::int64_t ids[] = {357, 367, 370, 372};
  for_each_test(*file, [&](const json::Value&, const json::Value& test) {
    for (int i = 0; i < 4; ++i) {
      if (test.int_at("tcId") == ids[i]) tokens[i] = token_of(test);
    }
  });
  EXPECT_EQ(tokens[0], tokens[1]);
  EXPECT_EQ(tokens[0], tokens[2]);
  EXPECT_NE(tokens[3].find('?'), std::string::npos);

  const Tally tally = run_tokens(*file, {367, 370, 372, 373});
  report("JWS", tally);
  EXPECT_EQ(tally.accepted + tally.refused, 401);
}

TEST(Wycheproof, JsonWebKeys) {
  const auto file = read_vectors("json_web_key_test.json");
  if (!file) return;
  const Tally tally = run_tokens(*file, {});
  report("JWK", tally);
  EXPECT_EQ(tally.accepted + tally.refused, 26);
}

TEST(Wycheproof, JsonWebCryptoWithEncryptionRefused) {
  const auto file = read_vectors("json_web_crypto_test.json");
  if (!file) return;
  const Tally tally = run_tokens(*file, {});
  report("mixed JWS and JWE", tally);
  EXPECT_EQ(tally.accepted + tally.refused, 83);
}

TEST(Wycheproof, JsonWebEncryptionIsRefused) {
  const auto file = read_vectors("json_web_encryption_test.json");
  if (!file) return;
  for_each_test(*file, [](const json::Value& group, const json::Value& test) {
    EXPECT_FALSE(accepts(published_key(group), token_of(test))) << name_of(test);
  });
}

TEST(Wycheproof, HmacSha256) {
  const auto file = read_vectors("hmac_sha256_test.json");
  if (!file) return;
  EXPECT_EQ(
      for_each_test(*file,
                    [](const json::Value& group, const json::Value& test) {
                      const auto mac = crypto::hmac_sha256(bytes_at(test, "key"), bytes_at(test, "msg"));
                      const std::string_view whole(reinterpret_cast<const char*>(mac.data()), mac.size());
                      const auto tag_size = static_cast<std::size_t>(*group.int_at("tagSize") / 8);
                      EXPECT_EQ(crypto::constant_time_equal(whole.substr(0, tag_size), bytes_at(test, "tag")),
                                test.string_at("result") == "valid")
                          << name_of(test);
                    }),
      174);
}

TEST(Wycheproof, EcdsaP256WithRawSignatures) {
  const auto file = read_vectors("ecdsa_secp256r1_sha256_p1363_test.json");
  if (!file) return;
  EXPECT_EQ(for_each_test(*file,
                          [](const json::Value& group, const json::Value& test) {
                            const auto key = crypto::SignatureKey::from_pem(
                                crypto::SignatureScheme::ecdsa_p256_sha256, *group.string_at("publicKeyPem"));
                            ASSERT_TRUE(key);
                            EXPECT_EQ(key->verify(bytes_at(test, "msg"), bytes_at(test, "sig")),
                                      test.string_at("result") == "valid")
                                << name_of(test);
                          }),
            262);
}

TEST(Wycheproof, Ed25519) {
  const auto file = read_vectors("ed25519_test.json");
  if (!file) return;
  EXPECT_EQ(for_each_test(*file,
                          [](const json::Value& group, const json::Value& test) {
                            const auto key =
                                crypto::SignatureKey::from_ed25519(bytes_at(*group.find("publicKey"), "pk"));
                            ASSERT_TRUE(key);
                            EXPECT_EQ(key->verify(bytes_at(test, "msg"), bytes_at(test, "sig")),
                                      test.string_at("result") == "valid")
                                << name_of(test);
                          }),
            151);
}

TEST(Wycheproof, XChaCha20Poly1305) {
  const auto file = read_vectors("xchacha20_poly1305_test.json");
  if (!file) return;
  EXPECT_EQ(for_each_test(*file,
                          [](const json::Value&, const json::Value& test) {
                            const auto opened = crypto::unseal(
                                Secret(bytes_at(test, "key")),
                                bytes_at(test, "iv") + bytes_at(test, "ct") + bytes_at(test, "tag"),
                                bytes_at(test, "aad"));
                            // A nonce of another size shifts the bytes, so that the tag cannot be right.
                            ASSERT_EQ(opened.has_value(), test.string_at("result") == "valid")
                                << name_of(test);
                            EXPECT_TRUE(!opened || opened->equals(bytes_at(test, "msg"))) << name_of(test);
                          }),
            315);
}

}  // namespace
}  // namespace keyturn::jwt

// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/signature.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "core/crypto/crypto.hpp"
#include "core/crypto/sample_keys.hpp"

namespace keyturn::crypto {
namespace {

std::string hex(std::string_view text) { return hex_decode(text).value(); }

// Coordinates of the base point of P-256 (SEC 2, section 2.4.2).
const std::string kBaseX = hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
const std::string kBaseY = hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
const std::string kOrder = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

void expect_signs_and_checks(const SignatureKey& key) {
  const std::string signature = key.sign("message");
  EXPECT_TRUE(key.verify("message", signature));
  EXPECT_FALSE(key.verify("messagf", signature));
  EXPECT_FALSE(key.verify("", signature));
  EXPECT_FALSE(key.verify("message", ""));
  EXPECT_FALSE(key.verify("message", signature + '\0'));
  EXPECT_FALSE(key.verify("message", signature.substr(1)));
  EXPECT_FALSE(key.verify("message", signature.substr(0, signature.size() - 1)));
  for (std::size_t at = 0; at < signature.size(); at += 7) {
    std::string changed = signature;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(key.verify("message", changed)) << at;
  }
}

TEST(P256, SignsAndChecksWithSixtyFourBytes) {
  const SignatureKey key = SignatureKey::generate_p256();
  EXPECT_TRUE(key.can_sign());
  EXPECT_EQ(key.scheme(), SignatureScheme::ecdsa_p256_sha256);
  for (int i = 0; i < 600; ++i)
    ASSERT_EQ(key.sign(std::to_string(i)).size(), 64U);  // short R or S are padded
  expect_signs_and_checks(key);
}

TEST(P256, ComesBackFromItsPem) {
  const SignatureKey key = SignatureKey::generate_p256();
  const Secret pem = key.private_pem();
  EXPECT_TRUE(pem.reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = SignatureKey::from_pem(SignatureScheme::ecdsa_p256_sha256, pem.reveal());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->can_sign());
  EXPECT_TRUE(key.verify("m", again->sign("m")));
  EXPECT_TRUE(again->verify("m", key.sign("m")));
  EXPECT_FALSE(SignatureKey::generate_p256().verify("m", key.sign("m")));
}

TEST(GuardedP256, IsAPairLikeAnyOther) {
  const SignatureKey key = SignatureKey::generate_guarded_p256();
  EXPECT_TRUE(key.can_sign());
  expect_signs_and_checks(key);
  const Secret pem = key.private_pem();
  const auto again = SignatureKey::guarded_p256_from_pem(pem.reveal());
  const auto open = SignatureKey::from_pem(SignatureScheme::ecdsa_p256_sha256, pem.reveal());
  ASSERT_TRUE(again && open) << "OpenSSL reads what is written";
  EXPECT_TRUE(open->private_pem().equals(pem.reveal())) << "and writes the same";
  EXPECT_TRUE(again->private_pem().equals(pem.reveal()));
  EXPECT_EQ(again->p256_point()->x, key.p256_point()->x);
  EXPECT_TRUE(key.verify("m", again->sign("m")));
  EXPECT_TRUE(open->verify("m", again->sign("m")));
  EXPECT_FALSE(SignatureKey::generate_guarded_p256().verify("m", key.sign("m")));
}

TEST(GuardedP256, RefusesEveryOtherForm) {
  const Secret pem = SignatureKey::generate_guarded_p256().private_pem();
  const std::string text(pem.reveal());
  for (const std::string& bad :
       {std::string(), text.substr(1), text.substr(0, text.size() - 1), text + "\n", "\n" + text,
        std::string(sample_keys::kRsa2048Pair), std::string(sample_keys::kP384),
        std::string("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\n")})
    EXPECT_FALSE(SignatureKey::guarded_p256_from_pem(bad)) << bad.size();
  int refused = 0;
  for (std::size_t at = 28; at < text.size() - 26; ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    refused += SignatureKey::guarded_p256_from_pem(changed) ? 0 : 1;
  }
  EXPECT_GE(refused, static_cast<int>(text.size()) - 28 - 26 - 1) << "the point must be the scalar's";
}

TEST(P256, RefusesSignaturesOutsideTheRange) {
  const auto key = SignatureKey::from_p256_point(kBaseX, kBaseY);
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->can_sign());
  EXPECT_TRUE(key->private_pem().empty());
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\x01';
  const std::string all(32, '\xff');
  for (const std::string& r : {zero, one, kOrder, all}) {
    for (const std::string& s : {zero, one, kOrder, all}) EXPECT_FALSE(key->verify("m", r + s));
  }
}

TEST(P256, RefusesPointsThatAreNotOnTheCurve) {
  std::string wrong = kBaseY;
  wrong[31] = static_cast<char>(wrong[31] ^ 1);
  EXPECT_FALSE(SignatureKey::from_p256_point(kBaseX, wrong));
  EXPECT_FALSE(SignatureKey::from_p256_point(std::string(32, '\0'), std::string(32, '\0')));
  EXPECT_FALSE(SignatureKey::from_p256_point(kBaseX.substr(1), kBaseY));
  EXPECT_FALSE(SignatureKey::from_p256_point(kBaseX, '\0' + kBaseY));
  EXPECT_FALSE(SignatureKey::from_p256_point("", ""));
}

TEST(P256, RefusesOtherCurvesAndOddPems) {
  for (const std::string_view pem :
       {sample_keys::kP384, sample_keys::kSecp256k1, sample_keys::kExplicitP256, sample_keys::kEncryptedP256,
        sample_keys::kRsa2048Pair, sample_keys::kEd25519Pair, std::string_view(""),
        std::string_view("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")}) {
    EXPECT_FALSE(SignatureKey::from_pem(SignatureScheme::ecdsa_p256_sha256, pem)) << pem;
  }
}

TEST(Rsa, SignsAndChecks) {
  const auto key = SignatureKey::from_pem(SignatureScheme::rsa_pkcs1_sha256, sample_keys::kRsa2048Pair);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->sign("m").size(), 256U);
  EXPECT_EQ(key->sign("m"), key->sign("m"));
  expect_signs_and_checks(*key);
}

TEST(Rsa, RefusesShortKeysAndOtherKinds) {
  for (const std::string_view pem :
       {sample_keys::kRsa1024, sample_keys::kRsaPss, sample_keys::kP384, sample_keys::kEd25519Pair}) {
    EXPECT_FALSE(SignatureKey::from_pem(SignatureScheme::rsa_pkcs1_sha256, pem)) << pem;
  }
}

TEST(Rsa, BoundsModulusAndExponent) {
  const std::string e = hex("010001");
  const auto modulus = [](std::size_t bits) {
    std::string n(bits / 8, '\x5b');
    n.front() = '\x80';
    return n;
  };
  EXPECT_TRUE(SignatureKey::from_rsa(modulus(2048), e));
  EXPECT_TRUE(SignatureKey::from_rsa('\0' + modulus(2048), e)) << "a leading zero is no digit";
  std::string below = modulus(2048);
  below.front() = '\x7f';
  EXPECT_FALSE(SignatureKey::from_rsa(below, e)) << "2047 bits";
  EXPECT_TRUE(SignatureKey::from_rsa(modulus(8192), e));
  EXPECT_FALSE(SignatureKey::from_rsa('\x01' + modulus(8192), e)) << "8193 bits";
  EXPECT_FALSE(SignatureKey::from_rsa(std::string(5000, '\x5b'), e));
  EXPECT_FALSE(SignatureKey::from_rsa("", e));
  std::string even = modulus(2048);
  even.back() = '\x5a';
  EXPECT_FALSE(SignatureKey::from_rsa(even, e));

  EXPECT_TRUE(SignatureKey::from_rsa(modulus(2048), hex("03")));
  EXPECT_TRUE(SignatureKey::from_rsa(modulus(2048), hex("ffffffffffffffff")));
  for (const char* const exponent : {"", "00", "01", "02", "010000", "010000000000000001"}) {
    EXPECT_FALSE(SignatureKey::from_rsa(modulus(2048), hex(exponent))) << exponent;
  }
}

// The value times 65537, most significant byte first.
std::string times_65537(const std::string& number) {
  std::string product = std::string(2, '\0') + number;
  unsigned carry = 0;
  const std::string shifted = number + std::string(2, '\0');
  for (std::size_t i = product.size(); i-- > 0;) {
    carry += static_cast<unsigned char>(product[i]) +
             static_cast<unsigned>(static_cast<unsigned char>(shifted[i]));
    product[i] = static_cast<char>(carry);
    carry >>= 8;
  }
  return product;
}

TEST(Rsa, RefusesAModulusWithTheMarkOfRoca) {
  std::string marked = "\x01";  // a power of 65537 is one modulo every prime as well
  for (int i = 0; i < 128; ++i) marked = times_65537(marked);
  EXPECT_FALSE(SignatureKey::from_rsa(marked, hex("010001")));
  std::string unmarked = marked;
  unmarked.back() = static_cast<char>(unmarked.back() ^ 2);
  EXPECT_TRUE(SignatureKey::from_rsa(unmarked, hex("010001")));
}

// RFC 8032 section 7.1, tests 1 and 2.
TEST(Ed25519, ChecksTheSignaturesOfRfc8032) {
  const auto first =
      SignatureKey::from_ed25519(hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
  ASSERT_TRUE(first);
  const std::string signature =
      hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd2"
          "5bf5f0595bbe24655141438e7a100b");
  EXPECT_TRUE(first->verify("", signature));
  EXPECT_FALSE(first->verify("x", signature));
  const auto second =
      SignatureKey::from_ed25519(hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->verify(
      "\x72",
      hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
          "387b2eaeb4302aeeb00d291612bb0c00")));
  EXPECT_FALSE(second->verify("", signature));
}

TEST(Ed25519, SignsAndChecks) {
  const auto key = SignatureKey::from_pem(SignatureScheme::ed25519, sample_keys::kEd25519Pair);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->sign("m").size(), 64U);
  expect_signs_and_checks(*key);
  EXPECT_FALSE(SignatureKey::from_ed25519(std::string(31, 'x')));
  EXPECT_FALSE(SignatureKey::from_ed25519(std::string(33, 'x')));
  EXPECT_FALSE(SignatureKey::from_pem(SignatureScheme::ed25519, sample_keys::kRsa2048Pair));
}

TEST(SignatureKey, IsSharedByManyThreads) {
  const SignatureKey key = SignatureKey::generate_p256();
  std::vector<std::thread> threads;
  std::vector<int> failures(4, 0);
  for (std::size_t t = 0; t < failures.size(); ++t) {
    threads.emplace_back([&key, &failures, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string data = std::to_string(i) + '/' + std::to_string(t);
        if (!key.verify(data, key.sign(data))) ++failures[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace keyturn::crypto

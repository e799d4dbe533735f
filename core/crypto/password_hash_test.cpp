// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/password_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::crypto {
namespace {

constexpr PasswordCost kCheap{64 * 1024, 1};

TEST(PasswordHash, AcceptsThePasswordAndNoOther) {
  const std::string encoded = hash_password("correct horse", kCheap);
  EXPECT_TRUE(verify_password("correct horse", encoded));
  EXPECT_FALSE(verify_password("correct horsf", encoded));
  EXPECT_FALSE(verify_password("correct horse ", encoded));
  EXPECT_FALSE(verify_password("", encoded));
}

TEST(PasswordHash, TakesAnyLengthAndAnyBytesWhole) {
  const std::string longest(4096, 'p');
  const std::string encoded = hash_password(longest, kCheap);
  EXPECT_TRUE(verify_password(longest, encoded));
  EXPECT_FALSE(verify_password(longest.substr(1), encoded));
  const std::string zero_inside("a\0b", 3);
  EXPECT_FALSE(verify_password("a", hash_password(zero_inside, kCheap)));
  EXPECT_TRUE(verify_password("", hash_password("", kCheap)));
  EXPECT_TRUE(verify_password("p\xc3\xa4ssw\xc3\xb6rd", hash_password("p\xc3\xa4ssw\xc3\xb6rd", kCheap)));
}

TEST(PasswordHash, SaltsEachHashAnew) { EXPECT_NE(hash_password("x", kCheap), hash_password("x", kCheap)); }

TEST(PasswordHash, RecordsAlgorithmAndCost) {
  const std::string usual = hash_password("x", PasswordCost{});
  EXPECT_EQ(usual.substr(0, 29), "$argon2id$v=19$m=47104,t=1,p=") << "46 MiB, 1 pass";
  EXPECT_EQ(usual.substr(29, 2), "1$");
  EXPECT_TRUE(verify_password("x", usual));
}

TEST(PasswordHash, WantsToBeMadeAnewWhenTheCostChanges) {
  const std::string encoded = hash_password("x", kCheap);
  EXPECT_FALSE(needs_rehash(encoded, kCheap));
  EXPECT_TRUE(needs_rehash(encoded, PasswordCost{kCheap.memory_bytes + 1024, 1}));
  EXPECT_TRUE(needs_rehash(encoded, PasswordCost{kCheap.memory_bytes - 1024, 1}));
  EXPECT_TRUE(needs_rehash(encoded, PasswordCost{kCheap.memory_bytes, 2}));
}

TEST(PasswordHash, RefusesWhatIsNoHash) {
  for (const char* const encoded :
       {"", "x", "$argon2id$", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAA",
        "$2b$10$abcdefghijklmnopqrstuv"}) {
    EXPECT_FALSE(verify_password("x", encoded)) << encoded;
    EXPECT_TRUE(needs_rehash(encoded, kCheap)) << encoded;
  }
}

}  // namespace
}  // namespace keyturn::crypto

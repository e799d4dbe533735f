// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {
namespace {

std::string mac_hex(std::string_view key, std::string_view data) {
  const auto mac = hmac_sha256(key, data);
  return hex_encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

// FIPS 180-4 examples, as published by NIST ("SHA-256 examples").
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(hex_encode(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_encode(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_encode(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231 section 4.
TEST(HmacSha256, GivesTheMacsOfRfc4231) {
  EXPECT_EQ(mac_hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(mac_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(mac_hex(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(
      mac_hex(*hex_decode("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd')),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(mac_hex(std::string(20, '\x0c'), "Test With Truncation").substr(0, 32),
            "a3b6167473100ee06e0c796c2955552b");
  EXPECT_EQ(mac_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(mac_hex(std::string(131, '\xaa'),
                    "This is a test using a larger than block-size key and a larger than block-size data. "
                    "The key needs to be "
                    "hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

// RFC 2104 section 2: keys above the block of 64 bytes are hashed first, keys of exactly one block are not.
TEST(HmacSha256, HashesAKeyAboveOneBlockOnly) {
  EXPECT_EQ(mac_hex(std::string(65, 'k'), "d"), mac_hex(sha256(std::string(65, 'k')), "d"));
  EXPECT_NE(mac_hex(std::string(64, 'k'), "d"), mac_hex(sha256(std::string(64, 'k')), "d"));
  EXPECT_EQ(mac_hex("k", "d"), mac_hex(std::string("k\0", 2), "d"));
}

TEST(HmacSha256, TakesNothingAsKeyAndData) {
  EXPECT_EQ(mac_hex({}, {}), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(RandomBytes, GivesAsManyAsAskedAndNeverTheSame) {
  EXPECT_EQ(random_bytes(0).size(), 0U);
  EXPECT_EQ(random_bytes(1000).size(), 1000U);
  EXPECT_NE(random_bytes(16), random_bytes(16));
}

TEST(ConstantTimeEqual, ComparesTheWholeOfBoth) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "bbc"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
  EXPECT_FALSE(constant_time_equal("", "a"));
}

}  // namespace
}  // namespace keyturn::crypto

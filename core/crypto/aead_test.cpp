// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aead.hpp"

#include <gtest/gtest.h>

#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {
namespace {

Secret key_of(char byte) { return Secret(std::string(kAeadKeySize, byte)); }

TEST(Aead, OpensWhatItSealed) {
  for (const std::string plain :
       {"", "a", "a longer text that spans more than one block of the cipher, twice over"}) {
    const std::string sealed = seal(key_of('k'), plain, "about");
    EXPECT_EQ(sealed.size(), plain.size() + kAeadNonceSize + kAeadTagSize);
    const auto opened = unseal(key_of('k'), sealed, "about");
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->equals(plain));
  }
}

TEST(Aead, RefusesEveryFlippedBitEveryLengthAndEveryOtherContext) {
  const std::string sealed = seal(key_of('k'), "token", "about");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string other = sealed;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(unseal(key_of('k'), other, "about")) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(unseal(key_of('k'), std::string_view(sealed).substr(0, size), "about")) << size;
  EXPECT_FALSE(unseal(key_of('k'), sealed + "x", "about"));
  EXPECT_FALSE(unseal(key_of('k'), sealed, "abouT"));
  EXPECT_FALSE(unseal(key_of('l'), sealed, "about"));
  EXPECT_FALSE(unseal(Secret("short"), sealed, "about"));
}

TEST(Aead, NeverSealsTwiceAlike) { EXPECT_NE(seal(key_of('k'), "x", ""), seal(key_of('k'), "x", "")); }

// RFC 4231 section 4.3 (test case 2), as derivation is one HMAC.
TEST(Aead, DerivesAKeyPerPurpose) {
  EXPECT_EQ(hex_encode(derive_key(Secret("Jefe"), "what do ya want for nothing?").reveal()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_FALSE(derive_key(Secret("Jefe"), "a").equals(derive_key(Secret("Jefe"), "b").reveal()));
  EXPECT_EQ(random_secret(64).size(), 64U);
  EXPECT_FALSE(random_secret(64).equals(random_secret(64).reveal()));
}

}  // namespace
}  // namespace keyturn::crypto

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/crypto/crypto.hpp"

namespace keyturn::crypto {
namespace {

using namespace std::string_literals;

// RFC 4648 section 10.
TEST(Base64, GivesTheTextsOfRfc4648) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [data, text] : cases) {
    EXPECT_EQ(base64_encode(data), text);
    EXPECT_EQ(base64_decode_lenient(text), data);
    const std::string bare = std::string(text).substr(0, std::string(text).find('='));
    EXPECT_EQ(base64url_encode(data), bare);
    EXPECT_EQ(base64url_decode(bare), data);
    EXPECT_EQ(base64_decode_lenient(bare), data);
  }
}

// RFC 7515 appendix C.
TEST(Base64Url, GivesTheTextOfRfc7515) {
  EXPECT_EQ(base64url_encode("\x03\xec\xff\xe0\xc1"), "A-z_4ME");
  EXPECT_EQ(base64url_decode("A-z_4ME"), "\x03\xec\xff\xe0\xc1");
}

TEST(Base64Url, ComesBackForEveryLengthAndByte) {
  std::string data;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64url_decode(base64url_encode(data)), data);
    EXPECT_EQ(base64_decode_lenient(base64_encode(data)), data);
    data.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64Url, RefusesEveryCharacterOutsideItsAlphabetAtEveryPlace) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int c = 0; c < 256; ++c) {
    if (alphabet.find(static_cast<char>(c)) != std::string::npos) continue;
    for (const std::size_t size : {4U, 6U, 7U}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'A');
        text[at] = static_cast<char>(c);
        EXPECT_FALSE(base64url_decode(text)) << c << " at " << at << " of " << size;
      }
    }
  }
}

TEST(Base64Url, RefusesPaddingWhiteSpaceAndImpossibleLengths) {
  for (const char* const text :
       {"Zg==", "Zm8=", "Zg=", "Z", "Zm9vY", "Zm 9v", "Zm9v\n", " Zm9v", "Zm9v=", "="}) {
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
  EXPECT_FALSE(base64url_decode("Zm9\0"s));
}

TEST(Base64Url, RefusesBitsThatStandForNothing) {
  EXPECT_EQ(base64url_decode("Zg"), "f");
  for (const char* const text : {"Zh", "Zi", "Zk", "Zo", "Zm9"}) EXPECT_FALSE(base64url_decode(text)) << text;
  EXPECT_EQ(base64url_decode("Zm8"), "fo");
  EXPECT_FALSE(base64url_decode("Zm-"));
}

TEST(Base64Lenient, TakesEitherAlphabetWithOrWithoutPadding) {
  for (const char* const text : {"+/+/", "-_-_", "+_-/"})
    EXPECT_EQ(base64_decode_lenient(text), "\xfb\xff\xbf") << text;
  EXPECT_EQ(base64_decode_lenient("Zg=="), "f");
  EXPECT_EQ(base64_decode_lenient("Zg"), "f");
}

TEST(Base64Lenient, StillRefusesWhatIsNoBase64) {
  for (const char* const text : {"Zg=", "Zg===", "=", "==", "===", "====", "Z===", "Zm9v====", "Zh==", "Z g=",
                                 "Zm9v=", "Zm9v\n", "Zg==Zg=="}) {
    EXPECT_FALSE(base64_decode_lenient(text)) << text;
  }
}

TEST(Hex, WritesLowerCaseAndReadsEither) {
  EXPECT_EQ(hex_encode("\x00\x1f\xab\xff"s), "001fabff");
  EXPECT_EQ(hex_decode("001FaBff"), "\x00\x1f\xab\xff"s);
  EXPECT_EQ(hex_decode(""), "");
  for (const char* const text : {"0", "0g", "g0", "00 ", "0x00", "000"})
    EXPECT_FALSE(hex_decode(text)) << text;
}

}  // namespace
}  // namespace keyturn::crypto

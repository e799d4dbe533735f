// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/common_passwords.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::server {
namespace {

// From the head of every list of leaked passwords, at six characters and more.
constexpr std::string_view kCommon[] = {
    "123456",     "password",  "12345678",  "qwerty",    "123456789", "baseball",   "football",   "1234567",
    "monkey",     "letmein",   "shadow",    "master",    "666666",    "qwertyuiop", "123321",     "mustang",
    "1234567890", "michael",   "654321",    "superman",  "1qaz2wsx",  "7777777",    "121212",     "000000",
    "qazwsx",     "123qwe",    "killer",    "trustno1",  "jordan",    "jennifer",   "zxcvbnm",    "asdfgh",
    "hunter",     "buster",    "soccer",    "harley",    "batman",    "andrew",     "tigger",     "sunshine",
    "iloveyou",   "charlie",   "robert",    "thomas",    "hockey",    "ranger",     "daniel",     "starwars",
    "112233",     "george",    "computer",  "michelle",  "jessica",   "pepper",     "123123",     "dragon",
    "111111",     "abc123",    "password1", "admin123",  "welcome",   "princess",   "qwerty123",  "1q2w3e4r",
    "passw0rd",   "football1", "access14",  "liverpool", "chocolate", "butterfly",  "password123"};

TEST(CommonPasswords, AreKnownWhateverTheirCase) {
  for (const std::string_view each : kCommon) {
    EXPECT_TRUE(is_common_password(each)) << each;
    std::string upper(each);
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    }
    EXPECT_TRUE(is_common_password(upper)) << upper;
  }
}

TEST(CommonPasswords, AreRunsAndRepetitionsOfAnyLength) {
  for (const std::string& each : {std::string(6, 'x'), std::string(128, '0'), std::string("ghijklmnop"),
                                  std::string("FEDCBA"), std::string("3456789"), std::string("121212"),
                                  std::string("abcabc"), std::string("wxyzWXYZ"), std::string()}) {
    EXPECT_TRUE(is_common_password(each)) << each;
  }
  for (const char* each : {"xxxxxxxxxxxxxy", "kq7mpkq7mp", "12a12b12c9"})
    EXPECT_FALSE(is_common_password(each)) << each;
}

TEST(CommonPasswords, AreFewAmongAllOthers) {
  for (const std::string_view each :
       {"correct horse battery", "secret-password", "v8#Lq0!zTn", "\xC3\xA4\xC3\xB6-kl\xC3\xBCger"})
    EXPECT_FALSE(is_common_password(each)) << each;
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) refused += is_common_password("kt-" + std::to_string(i) + "-Zq") ? 1 : 0;
  EXPECT_LE(refused, 5);
}

}  // namespace
}  // namespace keyturn::server

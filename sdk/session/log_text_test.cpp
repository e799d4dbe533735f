// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/log_text.hpp"

#include <gtest/gtest.h>

namespace keyturn::sdk {
namespace {

TEST(LoggedUser, IsItsIdWhereThatIsAPlainWord) {
  for (const char* id :
       {"6553f1a0c5d2b3a4e5f60718", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "ada@example.com", "a_b-c.d+e"})
    EXPECT_EQ(logged_user(id), id);
  EXPECT_EQ(logged_user(std::string(40, 'a')), std::string(40, 'a'));
}

// Rows B-38, B-39: no other field, no other line, no token.
TEST(LoggedUser, IsADigestOfAnythingElse) {
  const std::string token =
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  for (const std::string& id :
       {std::string(), std::string("ada code=none"), std::string("ada\" outcome=\"fetched"),
        std::string("a\nb"), std::string("ada\xe2\x80\xa8"), std::string("ada=1"), token, "ada " + token,
        token.substr(0, 20), token.substr(42), std::string(41, 'a')}) {
    const std::string text = logged_user(id);
    EXPECT_EQ(text.size(), 7U + 16U) << text;
    EXPECT_TRUE(text.starts_with("sha256:")) << text;
  }
  EXPECT_NE(logged_user("a b"), logged_user("a c"));
}

}  // namespace
}  // namespace keyturn::sdk

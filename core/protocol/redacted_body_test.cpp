// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/redacted_body.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "core/protocol/messages.hpp"

namespace keyturn::protocol {
namespace {

const std::string kToken = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

TEST(RedactedBody, HoldsNoPartOfALongValue) {
  const std::string body =
      R"({"access_token" : ")" + kToken + R"(","user_id":"u1","n":[1,")" + kToken + "\"]}";
  const RedactedBody redacted(body);
  EXPECT_EQ(redacted.text().find(kToken.substr(0, 10)), redacted.text().rfind(kToken.substr(0, 10)))
      << "an element of an array is no member";
  const auto parsed = json::parse(redacted.text());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(redacted.original(*parsed->string_at("access_token")), kToken);
  EXPECT_EQ(redacted.original(*parsed->string_at("user_id")), "u1");
}

TEST(RedactedBody, LeavesAloneWhatIsShortEscapedOrMarked) {
  const std::string just_short(31, 'a');
  const std::string just_long(32, 'a');
  EXPECT_NE(RedactedBody("{\"a\":\"" + just_short + "\"}").text().find(just_short), std::string::npos);
  EXPECT_EQ(RedactedBody("{\"a\":\"" + just_long + "\"}").text().find(just_long), std::string::npos);
  for (const std::string& body :
       {"{\"a\":\"" + just_long + "\\n\"}", "{\"a\":\"" + just_long + "\x7f\"}", "{\"" + just_long + "\":1}",
        "{\"b\":\"\\u007f0\",\"a\":\"" + just_long + "\"}"})
    EXPECT_EQ(RedactedBody(body).text(), body);
}

// Every cut of a good body is no JSON with and without its long values.
TEST(RedactedBody, HoldsNoTextAtAllWhenAsked) {
  const std::string body = R"({"password":"x","options":{},"n":7})";
  const RedactedBody redacted(body, 0);
  EXPECT_EQ(redacted.text(),
            "{\"password\":\"\x7f"
            "0\",\"options\":{},\"n\":7}");
}

TEST(RedactedBody, TurnsNoBadBodyIntoAGoodOne) {
  const std::string body =
      R"({"access_token":")" + kToken + R"(","refresh_token":"r.r.r","user_id":"u\"1","device_id":"d"})";
  ASSERT_TRUE(parse_login_response(body));
  EXPECT_EQ(parse_login_response(body)->user_id, "u\"1");
  EXPECT_TRUE(parse_login_response(body)->access_token.equals(kToken));
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_FALSE(parse_login_response(body.substr(0, size))) << size;
  for (const std::string raw : {"\n", "\x01", "\xff"}) {
    EXPECT_FALSE(parse_session_response("{\"access_token\":\"" + kToken + raw + "\"}")) << int(raw[0]);
  }
}

}  // namespace
}  // namespace keyturn::protocol

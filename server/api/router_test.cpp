// SPDX-License-Identifier: Apache-2.0
#include "server/api/router.hpp"

#include <gtest/gtest.h>

#include "server/api/body.hpp"
#include "server/api/call.hpp"
#include "server/api/cors.hpp"

namespace keyturn::server::api {
namespace {

Result<Answer> nothing(Call& /*call*/) { return no_content(); }

Router make_router() {
  using protocol::Lane;
  Router router;
  router.add(Surface::client,
             {{"POST", "/app/{}/special/login", Lane::password, Auth::none, Body::raw, nothing},
              {"POST", "/app/{}/{}/login", Lane::storage, Auth::none, Body::raw, nothing},
              {"GET", "/app/{}/{}/login", Lane::immediate, Auth::none, Body::ignored, nothing}});
  router.add(Surface::plain, {{"GET", "/healthz", Lane::immediate, Auth::none, Body::ignored, nothing}});
  return router;
}

TEST(Router, TakesTheEarlierOfTwoPatterns) {
  const Router router = make_router();
  const Match special = router.match("POST", "/api/client/v2.0/app/x/special/login");
  ASSERT_NE(special.route, nullptr);
  EXPECT_EQ(special.route->lane, protocol::Lane::password);
  EXPECT_EQ(special.argument_count, 1U);
  const Match other = router.match("POST", "/api/client/v2.0/app/x/other/login");
  ASSERT_NE(other.route, nullptr);
  EXPECT_EQ(other.arguments[0], "x");
  EXPECT_EQ(other.arguments[1], "other");
}

TEST(Router, ComparesSegmentsAfterDecodingThemOnce) {
  const Router router = make_router();
  EXPECT_EQ(router.match("POST", "/api/client/v2.0/app/x/%73pecial/log%69n").route->lane,
            protocol::Lane::password);
  EXPECT_EQ(router.match("POST", "/api/client/v2.0/app/x/%2573pecial/login").route->lane,
            protocol::Lane::storage);
  EXPECT_EQ(router.match("POST", "/api/client/v2.0/app/x/special%/login").route->lane,
            protocol::Lane::storage);
  EXPECT_EQ(router.match("POST", "/api/client/v2.0/app/x/special/log%6").route, nullptr);
}

TEST(Router, TellsAWrongMethodFromAnUnknownPath) {
  const Router router = make_router();
  const Match wrong = router.match("PUT", "/api/client/v2.0/app/x/special/login");
  EXPECT_EQ(wrong.route, nullptr);
  EXPECT_TRUE(wrong.path_exists);
  EXPECT_EQ(wrong.arguments[0], "x");
  EXPECT_FALSE(router.match("POST", "/api/client/v2.0/app//special/login").path_exists);
  EXPECT_FALSE(router.match("POST", "/api/client/v2.0/app/x/special/login/").path_exists);
  EXPECT_FALSE(router.match("GET", "healthz").path_exists);
  EXPECT_FALSE(router.match("GET", "").path_exists);
  EXPECT_FALSE(router.match("GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r").path_exists);
  EXPECT_EQ(router.allowed("/api/client/v2.0/app/x/y/login"), "GET, POST, OPTIONS");
  EXPECT_EQ(router.allowed("/healthz"), "GET");
}

TEST(PercentDecode, DecodesOnceAndRefusesControlCharacters) {
  EXPECT_EQ(percent_decode("a%20b%2541"), "a b%41");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%c3%A9"), "\xC3\xA9");
  for (const char* broken : {"%", "%2", "%zz", "%00", "%0a", "%1F", "%7f", "a%"}) {
    EXPECT_EQ(percent_decode(broken), std::nullopt) << broken;
  }
}

TEST(QueryParameter, FindsTheFirstOfThatName) {
  EXPECT_EQ(query_parameter("link=true", "link"), "true");
  EXPECT_EQ(query_parameter("a=1&link=x%20y&link=z", "link"), "x y");
  EXPECT_EQ(query_parameter("errors_only", "errors_only"), "");
  EXPECT_EQ(query_parameter("links=1&&=", "link"), std::nullopt);
  EXPECT_EQ(query_parameter("", "link"), std::nullopt);
  EXPECT_EQ(query_of("/a?b=c?d"), "b=c?d");
  EXPECT_EQ(path_of("/a?b"), "/a");
}

TEST(ReadBody, MakesPlainNumbersOfExtendedOnesForAdministrators) {
  const auto body = read_body(
      Body::admin_any,
      R"({"a":{"$numberLong":"7"},"b":[{"$numberInt":"-1"},{"$numberDouble":"1.5"}],"c":{"$numberLong":"x"},"d":{"$oid":"1"}})");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->int_at("a"), 7);
  EXPECT_EQ(*(*body->find("b")->as_array())[0].as_int(), -1);
  EXPECT_EQ(*(*body->find("b")->as_array())[1].as_double(), 1.5);
  EXPECT_NE(body->find("c")->as_object(), nullptr);
  EXPECT_NE(body->find("d")->as_object(), nullptr);
}

TEST(ReadBody, TakesNothingForAnEmptyObject) {
  for (const char* nothing_at_all : {"", "null", "\"\"", "{}"}) {
    const auto body = read_body(Body::admin_object, nothing_at_all);
    ASSERT_TRUE(body) << nothing_at_all;
    EXPECT_TRUE(body->as_object() != nullptr && body->as_object()->empty());
  }
  EXPECT_TRUE(read_body(Body::object, ""));
  EXPECT_FALSE(read_body(Body::object, "null"));
}

}  // namespace
}  // namespace keyturn::server::api

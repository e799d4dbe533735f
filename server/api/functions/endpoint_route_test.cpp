// SPDX-License-Identifier: Apache-2.0
#include "server/api/functions/endpoint_route.hpp"

#include <gtest/gtest.h>

namespace keyturn::server::api {
namespace {

std::string route_of_parts(std::size_t parts) {
  std::string out;
  for (std::size_t i = 0; i < parts; ++i) out += "/p";
  return out;
}

TEST(EndpointRoute, IsWhatARequestCanReach) {
  for (const char* route : {"/", "/a", "/a/b", "/data", "/database/x", "/endpoint", "/a b", "/{}"}) {
    EXPECT_TRUE(is_endpoint_route(route)) << route;
  }
  for (const char* route :
       {"", "a", "//", "/a/", "/a//b", "//a", "/data/", "/data/v1/action/find", "/a\tb", "/\x7F"}) {
    EXPECT_FALSE(is_endpoint_route(route)) << route;
  }
  EXPECT_TRUE(is_endpoint_route(route_of_parts(kMostRouteParts - 1)));
  EXPECT_TRUE(is_endpoint_route(route_of_parts(kMostRouteParts)));
  EXPECT_FALSE(is_endpoint_route(route_of_parts(kMostRouteParts + 1)));
}

TEST(EndpointRoute, FollowsTheAppsIdWhateverThatIs) {
  EXPECT_EQ(endpoint_route_of("/app/shop-abcde/endpoint/who/is"), "/who/is");
  EXPECT_EQ(endpoint_route_of("/app/endpoint-abcde/endpoint/w"), "/w");
  EXPECT_EQ(endpoint_route_of("/app/endpoint/endpoint/endpoint"), "/endpoint");
  EXPECT_EQ(endpoint_route_of("/app/shop%2Dabcde/%65ndpoint/a%20b"), "/a b");
  EXPECT_EQ(endpoint_route_of("/app/shop-abcde/endpoint/"), "/");
  EXPECT_EQ(endpoint_route_of("/app/shop-abcde/endpoint/%zz"), "");
  EXPECT_EQ(endpoint_route_of("/app"), "");
}

TEST(EndpointMethod, IsOneOfFiveOrAny) {
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "*", ""}) {
    EXPECT_TRUE(is_endpoint_method(method)) << method;
  }
  for (const char* method : {"get", "FOO", "OPTIONS", "HEAD", "ANY"}) {
    EXPECT_FALSE(is_endpoint_method(method)) << method;
  }
}

}  // namespace
}  // namespace keyturn::server::api

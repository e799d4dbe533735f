// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/origin.hpp"

#include <gtest/gtest.h>

namespace keyturn::sdk {
namespace {

TEST(BaseUrl, IsTakenWithoutItsTrailingSlashes) {
  EXPECT_EQ(*check_base_url("https://auth.example.com"), "https://auth.example.com");
  EXPECT_EQ(*check_base_url("http://127.0.0.1:9090//"), "http://127.0.0.1:9090");
  EXPECT_EQ(*check_base_url("HTTPS://[::1]:8443/prefix/"), "https://[::1]:8443/prefix");
}

TEST(BaseUrl, HasOneSpellingForEachServer) {
  for (const char* same : {"https://auth.example.com", "HTTPS://Auth.Example.COM",
                           "https://auth.example.com:443/", "https://auth.example.com:"})
    EXPECT_EQ(*check_base_url(same), "https://auth.example.com") << same;
  EXPECT_EQ(*check_base_url("HTTP://127.0.0.1:80"), "http://127.0.0.1");
  EXPECT_EQ(*check_base_url("http://h:443"), "http://h:443");
  EXPECT_EQ(*check_base_url("http://[::1]:80/A"), "http://[::1]/A") << "paths stay as they are";
}

TEST(BaseUrl, IsRefusedWhenItIsNoPlainHttpAddress) {
  for (const char* bad : {"", "auth.example.com", "ftp://x", "file:///etc", "http://", "https:///x",
                          "http://user@host", "http://host?q", "http://host#f", "http://ho st",
                          "http://host\\x", "http://host:70000000", "http://host:8a", "http://host\n"})
    EXPECT_EQ(check_base_url(bad).error().code, ErrorCode::InvalidConfiguration) << bad;
  EXPECT_NE(check_base_url("auth.example.com").error().message.find("URL missing scheme"), std::string::npos);
}

TEST(AddressAtOrigin, AcceptsPathsAndTheSameOrigin) {
  const char* base = "https://auth.example.com/prefix";
  EXPECT_EQ(*address_at_origin(base, "/api/x?y"), "https://auth.example.com/api/x?y");
  EXPECT_EQ(*address_at_origin(base, "https://AUTH.example.com:443/x"), "https://AUTH.example.com:443/x");
  EXPECT_EQ(*address_at_origin("http://127.0.0.1:90", "http://127.0.0.1:90/"), "http://127.0.0.1:90/");
}

TEST(AddressAtOrigin, RefusesEveryOtherOrigin) {
  for (const char* bad :
       {"http://auth.example.com/", "https://auth.example.com:444/", "https://auth.example.com.evil.test/",
        "https://evil.test/", "//evil.test/", "https://auth.example.com@evil.test/",
        "https://evil.test\\@auth.example.com/", "/\\evil.test", "", "x", "https:/x",
        "https://auth.example.com:443:443/", "https://auth.example.com%2eevil.test/",
        "ws://auth.example.com/", "/x y", " https://auth.example.com/", "https://auth.example.com\t/"})
    EXPECT_EQ(address_at_origin("https://auth.example.com", bad).error().code, ErrorCode::OriginNotAllowed)
        << bad;
}

}  // namespace
}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/http_uri.hpp"

#include <gtest/gtest.h>

namespace keyturn::protocol {
namespace {

std::string normal(std::string_view uri) {
  const auto parts = normal_http_uri(uri);
  return parts ? parts->origin + parts->path : "none";
}

TEST(HttpUri, GivesOneSpellingForEachAddress) {
  for (const char* same : {"https://auth.example.com/a/b%2Fc", "HTTPS://Auth.Example.COM/a/b%2fc",
                           "https://auth.example.com:443/a/b%2Fc", "https://auth.example.com:/a/b%2Fc",
                           "https://auth.example.com/a/b%2Fc?x=y#z", "https://auth.example.com/%61/./b%2Fc",
                           "https://auth.example.com/x/../a/b%2fc", "https://auth.example.com/../a/b%2Fc"})
    EXPECT_EQ(normal(same), "https://auth.example.com/a/b%2Fc") << same;
  EXPECT_EQ(normal("http://[::1]:80"), "http://[::1]/");
  EXPECT_EQ(normal("http://[2001:DB8::1]:8080?x"), "http://[2001:db8::1]:8080/");
  EXPECT_EQ(normal("http://h/a/.."), "http://h/");
  EXPECT_EQ(normal("http://h/a/."), "http://h/a/");
  EXPECT_EQ(normal("http://h/a//b/"), "http://h/a//b/") << "other paths stay different";
  EXPECT_EQ(normal("http://h/%zz%"), "http://h/%zz%");
}

TEST(HttpUri, KeepsDifferentAddressesApart) {
  EXPECT_NE(normal("http://h/"), normal("https://h/"));
  EXPECT_NE(normal("https://h:80/"), normal("https://h/"));
  EXPECT_NE(normal("http://h/A"), normal("http://h/a"));
  EXPECT_NE(normal("http://h/a%2Fb"), normal("http://h/a/b"));
  EXPECT_NE(normal("http://h/a/"), normal("http://h/a"));
}

TEST(HttpUri, IsNothingForWhatIsNoPlainAddress) {
  for (const char* bad : {"", "/a", "h/a", "ftp://h/", "http://", "http:///a", "http://u@h/", "http://h:8x/",
                          "http://h\\a", "http://h /", "http://h\x7f/", "http://:80/"})
    EXPECT_EQ(normal(bad), "none") << bad;
}

}  // namespace
}  // namespace keyturn::protocol

// SPDX-License-Identifier: Apache-2.0
#include "server/http/client_address.hpp"

#include <gtest/gtest.h>

namespace keyturn::server::http {
namespace {

std::string counted(std::string_view peer, const HttpHeaders& headers,
                    const std::vector<std::string>& trusted) {
  return client_address(peer, headers, trusted).counted_as;
}

std::string whole(std::string_view peer, const HttpHeaders& headers = {},
                  const std::vector<std::string>& trusted = {}) {
  return client_address(peer, headers, trusted).address;
}

HttpHeaders forwarded(const std::string& value) { return {{"Host", "x"}, {"X-Forwarded-For", value}}; }

TEST(ClientAddress, IsThePeersWithoutAProxy) {
  EXPECT_EQ(counted("203.0.113.7", {}, {}), "203.0.113.7");
  EXPECT_EQ(counted("::ffff:203.0.113.7", {}, {}), "203.0.113.7");
  EXPECT_EQ(counted("", {}, {}), "");
}

TEST(ClientAddress, OfVersion6IsItsNetwork) {
  EXPECT_EQ(counted("2001:db8:1:2:3:4:5:6", {}, {}), "2001:db8:1:2::");
  EXPECT_EQ(counted("2001:db8:1:2::9", {}, {}), "2001:db8:1:2::");
  EXPECT_NE(counted("2001:db8:1:3::9", {}, {}), "2001:db8:1:2::");
}

TEST(ClientAddress, OfThisMachineIsNotLimited) {
  EXPECT_EQ(counted("127.0.0.1", {}, {}), "");
  EXPECT_EQ(counted("127.9.9.9", {}, {}), "");
  EXPECT_EQ(counted("::1", {}, {}), "");
  EXPECT_EQ(counted("::ffff:127.0.0.1", {}, {}), "");
}

TEST(ClientAddress, IsNotWhatAStrangerClaims) {
  EXPECT_EQ(counted("203.0.113.7", forwarded("198.51.100.1"), {}), "203.0.113.7");
  EXPECT_EQ(counted("203.0.113.7", forwarded("198.51.100.1"), {"127.0.0.1"}), "203.0.113.7");
}

TEST(ClientAddress, IsWhatTheLastTrustedProxyHeard) {
  const std::vector<std::string> trusted{"127.0.0.1", "10.0.0.2"};
  EXPECT_EQ(counted("127.0.0.1", forwarded("198.51.100.1"), trusted), "198.51.100.1");
  EXPECT_EQ(counted("127.0.0.1", forwarded("192.0.2.1, 198.51.100.1"), trusted), "198.51.100.1");
  EXPECT_EQ(counted("127.0.0.1", forwarded("192.0.2.1, 198.51.100.1 , 10.0.0.2"), trusted), "198.51.100.1");
  EXPECT_EQ(
      counted("127.0.0.1", {{"x-forwarded-for", "192.0.2.1"}, {"X-FORWARDED-FOR", "198.51.100.1"}}, trusted),
      "198.51.100.1");
}

TEST(ClientAddress, IsUnknownWhenATrustedProxySaysNothingOfUse) {
  const std::vector<std::string> trusted{"10.0.0.2"};
  EXPECT_EQ(counted("10.0.0.2", {}, trusted), "");
  EXPECT_EQ(counted("10.0.0.2", forwarded(""), trusted), "");
  EXPECT_EQ(counted("10.0.0.2", forwarded("198.51.100.1, unknown"), trusted), "");
  EXPECT_EQ(counted("10.0.0.2", forwarded("10.0.0.2"), trusted), "");
}

TEST(ClientAddress, IsWholeForWhoAsks) {
  EXPECT_EQ(whole("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(whole("::ffff:203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(whole("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2:3:4:5:6");
  EXPECT_EQ(whole("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(whole("::1"), "::1");
  EXPECT_EQ(whole(""), "");
}

TEST(ClientAddress, IsWholeForWhomATrustedProxyHeard) {
  const std::vector<std::string> trusted{"10.0.0.2"};
  EXPECT_EQ(whole("10.0.0.2", forwarded("2001:db8::9"), trusted), "2001:db8::9");
  EXPECT_EQ(whole("10.0.0.2", forwarded("127.0.0.1"), trusted), "127.0.0.1");
  EXPECT_EQ(whole("10.0.0.2", {}, trusted), "10.0.0.2") << "the proxy itself";
  EXPECT_EQ(whole("10.0.0.2", forwarded("10.0.0.2"), trusted), "10.0.0.2");
  EXPECT_EQ(whole("10.0.0.2", forwarded("unknown"), trusted), "");
  EXPECT_EQ(whole("203.0.113.7", forwarded("198.51.100.1"), trusted), "203.0.113.7");
}

}  // namespace
}  // namespace keyturn::server::http

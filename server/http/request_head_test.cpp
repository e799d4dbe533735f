// SPDX-License-Identifier: Apache-2.0
#include "server/http/request_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn::server::http {
namespace {

using HeadState = HeadParser::State;

std::string get_with(std::string_view headers) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

int status_of(std::string_view bytes) {
  HeadParser parser{HeadLimits{}};
  const HeadState state = parser.parse(bytes);
  if (state == HeadState::done) return 200;
  return state == HeadState::refused ? parser.status() : 0;
}

TEST(HeadParser, ReadsMethodTargetAndHeaders) {
  HeadParser parser{HeadLimits{}};
  const std::string bytes =
      "POST /a/b?c=d%20e HTTP/1.1\r\nHost: x:1\r\nX-One:  two words \t\r\nContent-Length: 12\r\n\r\nrest";
  ASSERT_EQ(parser.parse(bytes), HeadState::done);
  EXPECT_EQ(parser.consumed(), bytes.size() - 4);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.request.method, "POST");
  EXPECT_EQ(head.request.url, "/a/b?c=d%20e");
  EXPECT_EQ(find_header(head.request.headers, "x-one"), "two words");
  EXPECT_EQ(head.framing, BodyFraming::length);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_TRUE(head.keep_alive);
}

TEST(HeadParser, GivesTheSameResultForEveryWayOfCuttingTheBytes) {
  const std::string bytes =
      "\r\nPUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nUser-Agent: Realm C++ SDK\r\n\r\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    HeadParser parser{HeadLimits{}};
    ASSERT_EQ(parser.parse(std::string_view(bytes).substr(0, cut)), HeadState::need_more) << cut;
    ASSERT_EQ(parser.parse(bytes), HeadState::done) << cut;
    EXPECT_EQ(parser.head().framing, BodyFraming::chunked);
    EXPECT_TRUE(parser.head().wants_small_chunks);
    EXPECT_EQ(parser.consumed(), bytes.size());
  }
}

TEST(HeadParser, ReducesAbsoluteTargetsToOriginForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"http://127.0.0.1:9090/api/x?y=z", "/api/x?y=z"},
      {"HTTPS://host", "/"},
      {"http://host?q", "/?q"},
      {"http://[::1]:80/p", "/p"},
      {"/http://a/b", "/http://a/b"},
      {"//a/b", "//a/b"}};
  for (const auto& [target, origin] : cases) {
    HeadParser parser{HeadLimits{}};
    ASSERT_EQ(parser.parse("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"), HeadState::done) << target;
    EXPECT_EQ(parser.head().request.url, origin);
  }
}

TEST(HeadParser, RefusesRequestLinesThatAreNotExactlyThreeWords) {
  for (const char* line :
       {"GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /", "GET / HTTP/1.2", "GET / http/1.1",
        "GET / HTTP/2.0", "GET\t/ HTTP/1.1", "G@T / HTTP/1.1", "GET a HTTP/1.1", "GET * HTTP/1.1",
        "GET http:///x HTTP/1.1", "GET ftp://h/ HTTP/1.1", "GET /#f HTTP/1.1", "GET /\x01 HTTP/1.1",
        "GET /\xc3\xa9 HTTP/1.1", "CONNECT h:1 HTTP/1.1", "GET http://u@h/ HTTP/1.1", "/ HTTP/1.1"}) {
    EXPECT_EQ(status_of(std::string(line) + "\r\nHost: h\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
  EXPECT_EQ(status_of("\x16\x03"), 400) << "TLS on a plain port";
}

TEST(HeadParser, RefusesWhatCouldBeReadInTwoWays) {
  EXPECT_EQ(status_of(get_with("")), 200);
  for (const char* headers : {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                              "Content-Length: 1\r\nContent-Length: 1\r\n",
                              "Content-Length: +1\r\n",
                              "Content-Length: -1\r\n",
                              "Content-Length: 1_0\r\n",
                              "Content-Length: 1, 1\r\n",
                              "Content-Length: 0x1\r\n",
                              "Content-Length: 01\r\n",
                              "Content-Length: \r\n",
                              "Content-Length: 1 1\r\n",
                              "Content-Length: 9999999999999999999\r\n",
                              "Transfer-Encoding: gzip\r\n",
                              "Transfer-Encoding: gzip, chunked\r\n",
                              "Transfer-Encoding: chunked, chunked\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: \r\n",
                              "Transfer-Encoding: xchunked\r\n",
                              "Transfer-Encoding: chunked;a\r\n",
                              "A: b\r\n folded\r\n",
                              "A: b\r\n\tfolded\r\n",
                              "A : b\r\n",
                              "A\t: b\r\n",
                              ": b\r\n",
                              "A b\r\n",
                              "A: b\rc\r\n",
                              "A: b\nB: c\r\n",
                              "A: b\r\r\n",
                              "A(b): c\r\n",
                              "A: \x01\r\n",
                              "A: \x7f\r\n",
                              "Host: other\r\n",
                              "Authorization: a\r\nauthorization: a\r\n",
                              "Expect: magic\r\n"}) {
    EXPECT_EQ(status_of(get_with(headers)), 400) << headers;
  }
  EXPECT_EQ(status_of(get_with(std::string_view("A: b\0c\r\n", 8))), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: h\n\n"), 400);
}

TEST(HeadParser, WantsOneHostOfAnyName) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"), 200);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
}

TEST(HeadParser, TakesAPostWithoutLengthAsEmpty) {
  HeadParser parser{HeadLimits{}};
  ASSERT_EQ(parser.parse("POST / HTTP/1.1\r\nHost: h\r\n\r\n"), HeadState::done);
  EXPECT_EQ(parser.head().framing, BodyFraming::none);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(HeadParser, KnowsWhenTheConnectionEnds) {
  const auto keeps = [](std::string_view version, std::string_view header) {
    HeadParser parser{HeadLimits{}};
    EXPECT_EQ(
        parser.parse("GET / " + std::string(version) + "\r\nHost: h\r\n" + std::string(header) + "\r\n"),
        HeadState::done);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: upgrade , close\r\n"));
  EXPECT_TRUE(keeps("HTTP/1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
}

TEST(HeadParser, LimitsTheRequestLine) {
  const auto request = [](std::size_t line) {
    const std::string_view around = "GET / HTTP/1.1";
    return "GET /" + std::string(line - around.size(), 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  EXPECT_EQ(status_of(request(16'383)), 200);
  EXPECT_EQ(status_of(request(16'384)), 200);
  EXPECT_EQ(status_of(request(16'385)), 431);
  EXPECT_EQ(status_of(request(16'385).substr(0, 16'384)), 0);
  EXPECT_EQ(status_of(request(16'385).substr(0, 16'385)), 431) << "without waiting for the end of the line";
}

TEST(HeadParser, LimitsOneHeaderLine) {
  const auto request = [](std::size_t line) { return get_with("A: " + std::string(line - 3, 'a') + "\r\n"); };
  EXPECT_EQ(status_of(request(16'383)), 200);
  EXPECT_EQ(status_of(request(16'384)), 200);
  EXPECT_EQ(status_of(request(16'385)), 431);
  const std::size_t before = get_with("").size() - 2;
  EXPECT_EQ(status_of(request(16'385).substr(0, before + 16'384)), 0);
  EXPECT_EQ(status_of(request(16'385).substr(0, before + 16'385)), 431)
      << "without waiting for the end of the line";
}

TEST(HeadParser, LimitsAllHeaders) {
  const auto request = [](std::size_t all) {
    const std::size_t first = 16'000;
    const std::size_t host = std::string_view("Host: h\r\n").size();
    return get_with("A: " + std::string(first - 5, 'a') +
                    "\r\nB: " + std::string(all - host - first - 5, 'b') + "\r\n");
  };
  HeadLimits limits;
  limits.header_line = 32'768;
  EXPECT_EQ(status_of(request(30'000)), 200);
  for (const auto& [size, done] :
       std::vector<std::pair<std::size_t, bool>>{{32'767, true}, {32'768, true}, {32'769, false}}) {
    HeadParser parser{limits};
    EXPECT_EQ(parser.parse(request(size)), done ? HeadState::done : HeadState::refused) << size;
    EXPECT_EQ(parser.status(), done ? 0 : 431);
  }
}

TEST(HeadParser, LimitsTheNumberOfHeaders) {
  const auto request = [](int count) {
    std::string headers;
    for (int i = 1; i < count; ++i) headers += "A: b\r\n";  // Host is one
    return get_with(headers);
  };
  EXPECT_EQ(status_of(request(99)), 200);
  EXPECT_EQ(status_of(request(100)), 200);
  EXPECT_EQ(status_of(request(101)), 431);
}

}  // namespace
}  // namespace keyturn::server::http

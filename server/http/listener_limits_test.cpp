// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "server/http/testing/listener_fixture.hpp"

namespace keyturn::server::http {
namespace {

TEST_F(ListenerTest, RefusesOnceAndClosesWhatIsMalformed) {
  start();
  const std::string smuggled = get("/smuggled");
  for (const char* headers :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
        "A : b\r\n", "A: b\r\n c\r\n", "Transfer-Encoding: identity\r\n",
        "Authorization: a\r\nAuthorization: b\r\n"}) {
    const std::string answer = exchange(get("/", headers) + smuggled);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("AND MORE"), std::string::npos);
  }
  EXPECT_TRUE(exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ListenerTest, RefusesLongHeads) {
  start();
  EXPECT_TRUE(
      exchange(get("/" + std::string(16'000, 'a'), "Connection: close\r\n")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(exchange(get("/" + std::string(17'000, 'a')))
                  .starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_TRUE(exchange(get("/", "A: " + std::string(20'000, 'a') + "\r\n")).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(exchange(get("/", "Connection: close\r\nA: " + std::string(16'000, 'a') +
                                    "\r\nB: " + std::string(16'000, 'a') + "\r\n"))
                  .starts_with("HTTP/1.1 200 "));
}

TEST_F(ListenerTest, LimitsBodiesByLengthWithoutReadingThem) {
  start();
  const auto post = [](std::size_t size) {
    return "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n";
  };
  for (const std::size_t size : {65'535U, 65'536U}) {
    const std::string answer = exchange(post(size) + std::string(size, 'x'));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << size;
    EXPECT_TRUE(answer.ends_with("|" + std::string(size, 'x')));
  }
  const std::string answer = exchange(post(65'537));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_EQ(handler.handled, 2);
}

TEST_F(ListenerTest, LimitsChunkedBodiesByTheirSum) {
  start();
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" +
      std::string(32'768, 'x') + "\r\n";
  EXPECT_TRUE(
      exchange(head + "8000\r\n" + std::string(32'768, 'x') + "\r\n0\r\n\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(exchange(head + "8001\r\n").starts_with("HTTP/1.1 413 "));
}

TEST_F(ListenerTest, SaysContinueOnlyToWhatItWillRead) {
  start();
  Client c = client();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(c.response(), "HTTP/1.1 100 Continue\r\n\r\n");
  c.send("abc");
  EXPECT_TRUE(c.response().ends_with("/|abc"));
  EXPECT_TRUE(
      exchange("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
          .starts_with("HTTP/1.1 413 "));
}

TEST_F(ListenerTest, EndsASlowHeadByItsTotalTime) {
  ListenerOptions options;
  options.head_deadline = milliseconds(200);
  start(options);
  Client c = client();
  const auto begin = system_clock().boot_now();
  const std::string bytes = get("/", "A: " + std::string(1'000, 'a') + "\r\n");
  std::string answer;
  for (std::size_t i = 0; i < bytes.size() && answer.empty(); ++i) {
    c.send(bytes.substr(i, 1));
    answer = c.read_some(20);
  }
  const auto took = system_clock().boot_now() - begin;
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_GE(took, milliseconds(200));
  EXPECT_LT(took, milliseconds(2'000));
}

TEST_F(ListenerTest, EndsASlowBodyByItsTotalTime) {
  ListenerOptions options;
  options.body_deadline = milliseconds(200);
  start(options);
  Client c = client();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  std::string answer;
  for (int i = 0; i < 999 && answer.empty(); ++i) {
    c.send("x");
    answer = c.read_some(20);
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_EQ(handler.handled, 0);
}

TEST_F(ListenerTest, ClosesIdleConnectionsWithoutAWord) {
  ListenerOptions options;
  options.idle_deadline = milliseconds(100);
  start(options);
  Client c = client();
  c.send(get("/"));
  EXPECT_TRUE(c.response().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(c.rest(), "");
  EXPECT_TRUE(c.closed());
}

TEST_F(ListenerTest, EndsAReaderThatDoesNotRead) {
  ListenerOptions options;
  options.write_deadline = milliseconds(200);
  start(options);
  handler.on_request = [](HttpRequest, const protocol::Respond& respond) {
    respond(HttpResponse{200, {}, std::string(30'000'000, 'x')});
  };
  Client c = client();
  c.send(get("/"));
  const auto begin = system_clock().boot_now();
  while (listener->connections() > 0 && system_clock().boot_now() - begin < milliseconds(5'000))
    ::poll(nullptr, 0, 5);
  // It has the first bytes only after the server began to count.
  EXPECT_EQ(listener->connections(), 0U);
}

TEST_F(ListenerTest, AcceptsAgainWhenTheNumberOfConnectionsFalls) {
  ListenerOptions options;
  options.max_connections = 2;
  start(options);
  std::optional<Client> first(client());
  Client second = client();
  for (Client* c : {&*first, &second}) {
    c->send(get("/"));
    EXPECT_FALSE(c->response().empty());
  }
  Client third = client();
  third.send(get("/third"));
  EXPECT_EQ(third.read_some(100), "");
  first.reset();
  EXPECT_TRUE(third.response().ends_with("/third|"));
}

TEST_F(ListenerTest, RecoversFromALackOfFileDescriptors) {
  start();
  Client before = client();
  before.send(get("/"));
  ASSERT_FALSE(before.response().empty());
  Client waiting = client();  // may be accepted yet or not
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(client());
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  rlimit none = old;
  none.rlim_cur = 3;
  ::setrlimit(RLIMIT_NOFILE, &none);
  before.send(get("/still"));
  EXPECT_TRUE(before.response().ends_with("/still|"));
  ::setrlimit(RLIMIT_NOFILE, &old);
  Client after = client();
  after.send(get("/after"));
  EXPECT_TRUE(after.response().ends_with("/after|"));
}

}  // namespace
}  // namespace keyturn::server::http

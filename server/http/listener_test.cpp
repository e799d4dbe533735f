// SPDX-License-Identifier: Apache-2.0
#include "server/http/listener.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace keyturn::server::http {
namespace {

using std::chrono::milliseconds;

/// Answers with what it got, in the lane that the path names.
class EchoHandler final : public protocol::RequestHandler {
 public:
  [[nodiscard]] protocol::Plan plan(std::string_view, std::string_view target) const noexcept override {
    protocol::Plan plan;
    if (target.starts_with("/storage")) plan.lane = protocol::Lane::storage;
    if (target.starts_with("/password")) plan.lane = protocol::Lane::password;
    plan.max_body_bytes = 65'536;
    return plan;
  }
  void handle(HttpRequest request, protocol::Respond respond) override {
    ++handled;
    if (on_request) {
      on_request(std::move(request), std::move(respond));
      return;
    }
    respond({200, {{"X-Method", request.method}}, request.url + "|" + request.body});
  }
  [[nodiscard]] HttpResponse refuse(int status, std::string_view why, const HttpRequest&) override {
    return {status, {{"Content-Type", "application/json"}}, "refused: " + std::string(why)};
  }

  std::function<void(HttpRequest, protocol::Respond)> on_request;
  std::atomic<int> handled{0};
};

/// A raw connection. Every read ends by itself after five seconds.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  Client(const Client&) = delete;
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }
  [[nodiscard]] bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_of_sending() { ::shutdown(socket_, SHUT_WR); }

  /// Some more bytes; empty at the end of the connection or after the time.
  std::string read_some(int timeout_ms = 5'000) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, timeout_ms) <= 0) return {};
    char bytes[65'536];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    closed_ = size <= 0;
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
  }
  /// One response with a Content-Length, header and body.
  std::string response() {
    for (;;) {
      const std::size_t blank = held_.find("\r\n\r\n");
      if (blank != std::string::npos) {
        const std::size_t at = held_.find("Content-Length: ");
        const std::size_t length = at < blank ? std::stoul(held_.substr(at + 16)) : 0;
        if (held_.size() >= blank + 4 + length) {
          std::string whole = held_.substr(0, blank + 4 + length);
          held_.erase(0, whole.size());
          return whole;
        }
      }
      const std::string more = read_some();
      if (more.empty()) return held_;
      held_ += more;
    }
  }
  /// Everything until the server closes.
  std::string rest() {
    for (;;) {
      const std::string more = read_some();
      if (more.empty()) return std::exchange(held_, {});
      held_ += more;
    }
  }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  int socket_;
  bool connected_ = false;
  bool closed_ = false;
  std::string held_;
};

class ListenerTest : public ::testing::Test {
 protected:
  void start(ListenerOptions options = {}) {
    listener.emplace(handler, system_clock(), std::move(options));
    const Result<void> started = listener->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  Client client() { return Client(listener->local_port()); }
  std::string exchange(std::string_view bytes) {
    Client c = client();
    c.send(bytes);
    std::string answer = c.response();
    if (!c.rest().empty()) answer += " AND MORE";
    return answer;
  }

  EchoHandler handler;
  std::optional<Listener> listener;
};

std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

TEST_F(ListenerTest, AnswersOnOneConnectionAgainAndAgain) {
  start();
  Client c = client();
  for (int i = 0; i < 3; ++i) {
    c.send(get("/path?x=" + std::to_string(i)));
    const std::string answer = c.response();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n/path?x=" + std::to_string(i) + "|")) << answer;
    EXPECT_EQ(answer.find("Server:"), std::string::npos);
  }
}

TEST_F(ListenerTest, AnswersPipelinedRequestsInOrderWhateverTheirLane) {
  start();
  Client c = client();
  std::string all;
  for (int i = 0; i < 30; ++i) {
    const std::string lane = i % 3 == 0 ? "/storage/" : i % 3 == 1 ? "/password/" : "/now/";
    all += "POST " + lane + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  }
  c.send(all);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(c.response().ends_with("/" + std::to_string(i) + "|abc")) << i;
}

TEST_F(ListenerTest, TakesRequestsByteByByte) {
  start();
  Client c = client();
  for (const char b :
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n" +
           get("/2")) {
    c.send({&b, 1});
  }
  EXPECT_TRUE(c.response().ends_with("/|abcd"));
  EXPECT_TRUE(c.response().ends_with("/2|"));
}

TEST_F(ListenerTest, AnswersAPostWithoutLengthAtOnce) {
  start();
  Client c = client();
  c.send("POST http://127.0.0.1:9090/a HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Realm C++ SDK\r\n\r\n");
  EXPECT_TRUE(c.response().ends_with("/a|"));
}

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
  EXPECT_TRUE(exchange(get("/" + std::string(9'000, 'a'))).starts_with("HTTP/1.1 414 URI Too Long\r\n"));
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
    respond({200, {}, std::string(30'000'000, 'x')});
  };
  Client c = client();
  c.send(get("/"));
  const auto begin = system_clock().boot_now();
  while (listener->connections() > 0 && system_clock().boot_now() - begin < milliseconds(5'000))
    ::poll(nullptr, 0, 5);
  // It has the first bytes only after the server began to count.
  EXPECT_EQ(listener->connections(), 0U);
}

TEST_F(ListenerTest, SendsLongAnswersWhole) {
  start();
  handler.on_request = [](HttpRequest, const protocol::Respond& respond) {
    respond({200, {}, std::string(5'000'000, 'x')});
  };
  Client c = client();
  c.send(get("/") + get("/"));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(c.response().ends_with("\r\n\r\n" + std::string(5'000'000, 'x')));
}

TEST_F(ListenerTest, TakesAnswersFromOtherThreads) {
  start();
  std::vector<std::thread> threads;
  std::mutex mutex;
  handler.on_request = [&](HttpRequest request, protocol::Respond respond) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([url = std::move(request.url), respond = std::move(respond)] {
      respond({200, {}, url});
      respond({200, {}, "a second answer"});
    });
  };
  Client c = client();
  for (int i = 0; i < 20; ++i) {
    c.send(get("/" + std::to_string(i)));
    EXPECT_TRUE(c.response().ends_with("\r\n\r\n/" + std::to_string(i)));
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ListenerTest, DropsAnAnswerThatComesAfterTheStop) {
  ListenerOptions options;
  options.drain_deadline = milliseconds(50);
  start(options);
  protocol::Respond kept;
  std::promise<void> arrived;
  handler.on_request = [&](HttpRequest, protocol::Respond respond) {
    kept = std::move(respond);
    arrived.set_value();
  };
  Client c = client();
  c.send(get("/"));
  arrived.get_future().wait();
  listener.reset();
  kept({200, {}, "late"});
  EXPECT_EQ(c.rest(), "");
}

TEST_F(ListenerTest, TurnsAThrowIntoA500AndGoesOn) {
  start();
  handler.on_request = [](HttpRequest request, const protocol::Respond& respond) {
    if (request.url != "/fine") throw std::runtime_error("broken");
    respond({200, {}, "fine"});
  };
  Client c = client();
  c.send(get("/x") + get("/storage/x") + get("/fine"));
  EXPECT_TRUE(c.response().starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(c.response().starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(c.response().ends_with("fine"));
}

TEST_F(ListenerTest, AnswersBusyWhenALaneIsFullAndKeepsTheOthersGoing) {
  ListenerOptions options;
  options.password = {1, 1, milliseconds(5'000)};
  start(options);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> in_lane{0};
  handler.on_request = [&](HttpRequest request, const protocol::Respond& respond) {
    if (request.url == "/password") {
      ++in_lane;
      released.wait();
    }
    respond({200, {}, "done"});
  };
  Client first = client();
  first.send(get("/password"));
  while (in_lane == 0) std::this_thread::yield();
  Client second = client();
  second.send(get("/password"));
  std::string busy;
  Client third = client();
  // Which of the two waits in the queue is not known; the other is refused.
  third.send(get("/password"));
  Client* refused = nullptr;
  while (refused == nullptr) {
    for (Client* c : {&second, &third}) {
      busy = c->read_some(10);
      if (!busy.empty()) {
        refused = c;
        break;
      }
    }
  }
  EXPECT_TRUE(busy.starts_with("HTTP/1.1 503 ")) << busy;
  EXPECT_NE(busy.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_EQ(busy.find("Connection: close"), std::string::npos);
  refused->send(get("/now"));
  EXPECT_TRUE(refused->response().ends_with("done")) << "the connection and the other lane go on";
  release.set_value();
  EXPECT_TRUE(first.response().ends_with("done"));
  EXPECT_TRUE((refused == &second ? third : second).response().ends_with("done"));
}

TEST_F(ListenerTest, AnswersBusyWhenAJobWaitedTooLong) {
  ListenerOptions options;
  options.storage = {1, 10, milliseconds(50)};
  options.head_deadline = milliseconds(100);
  start(options);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  handler.on_request = [&](HttpRequest, const protocol::Respond& respond) {
    released.wait();
    respond({200, {}, "done"});
  };
  Client first = client();
  first.send(get("/storage"));
  while (handler.handled == 0) std::this_thread::yield();
  Client second = client();
  second.send(get("/storage"));
  EXPECT_TRUE(second.response().starts_with("HTTP/1.1 503 "));
  release.set_value();
  EXPECT_TRUE(first.response().ends_with("done"));
}

TEST_F(ListenerTest, FinishesWhatIsUnderWayWhenItStops) {
  start();
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  handler.on_request = [&](HttpRequest, const protocol::Respond& respond) {
    released.wait();
    respond({200, {}, "done"});
  };
  Client busy = client();
  Client idle = client();
  busy.send(get("/storage"));
  while (handler.handled == 0) std::this_thread::yield();
  std::thread stopping([this] { listener->stop(); });
  EXPECT_EQ(idle.rest(), "");
  release.set_value();
  const std::string answer = busy.response();
  EXPECT_TRUE(answer.ends_with("done")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_EQ(busy.rest(), "");
  stopping.join();
  EXPECT_FALSE(client().connected());
}

TEST_F(ListenerTest, ServesAThousandConnectionsOnSeveralThreads) {
  ListenerOptions options;
  options.threads = 2;
  start(options);
  std::vector<Client> clients;
  for (int i = 0; i < 1'000; ++i) clients.push_back(client());
  for (Client& c : clients) ASSERT_TRUE(c.send(get("/a")));
  for (Client& c : clients) ASSERT_TRUE(c.response().ends_with("/a|"));
  EXPECT_EQ(listener->connections(), 1'000U);
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

TEST_F(ListenerTest, TellsOfEachExchangeWithoutTheQuery) {
  std::mutex mutex;
  std::vector<std::string> seen;
  ListenerOptions options;
  options.on_exchange = [&](const Exchange& e) {
    const std::lock_guard lock(mutex);
    seen.push_back(std::string(e.method) + " " + std::string(e.path) + " " + std::to_string(e.status) + " " +
                   std::string(e.request_id));
  };
  start(options);
  handler.on_request = [](HttpRequest, const protocol::Respond& respond) {
    respond({201, {{"X-Appservices-Request-Id", "abc"}}, ""});
  };
  Client c = client();
  c.send(get("/confirm?token=secret") + "bad\r\n\r\n");
  c.rest();
  listener->stop();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0], "GET /confirm 201 abc");
  EXPECT_EQ(seen[1].substr(seen[1].size() - 5), " 400 ");
}

TEST_F(ListenerTest, SaysInOneLineWhyItCannotListen) {
  start();
  ListenerOptions options;
  options.port = listener->local_port();
  Listener second(handler, system_clock(), options);
  const Result<void> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(options.port) + ": Address already in use");
  options.address = "nowhere";
  Listener third(handler, system_clock(), options);
  EXPECT_FALSE(third.start());
}

}  // namespace
}  // namespace keyturn::server::http

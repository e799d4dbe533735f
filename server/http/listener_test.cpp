// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "server/http/testing/listener_fixture.hpp"

namespace keyturn::server::http {
namespace {

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

TEST_F(ListenerTest, TellsTheClientThatATrustedProxyNames) {
  std::string heard = "nobody";
  handler.on_client = [&](const protocol::ClientAddress& client) {
    heard = client.address + "|" + client.counted_as;
  };
  ListenerOptions options;
  options.trusted_proxies = {"127.0.0.1"};
  start(options);
  Client c = client();
  c.send(get("/password/1", "X-Forwarded-For: 192.0.2.9, 198.51.100.1\r\n"));
  c.response();
  EXPECT_EQ(heard, "198.51.100.1|198.51.100.1");
}

TEST_F(ListenerTest, BelievesNoProxyThatItWasNotToldOf) {
  std::string heard = "nobody";
  handler.on_client = [&](const protocol::ClientAddress& client) {
    heard = client.address + "|" + client.counted_as;
  };
  start();
  Client c = client();
  c.send(get("/password/1", "X-Forwarded-For: 198.51.100.1\r\n"));
  c.response();
  EXPECT_EQ(heard, "127.0.0.1|") << "this machine itself, which is not limited";
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

TEST_F(ListenerTest, SendsLongAnswersWhole) {
  start();
  handler.on_request = [](HttpRequest, const protocol::Respond& respond) {
    respond(HttpResponse{200, {}, std::string(5'000'000, 'x')});
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
      respond(HttpResponse{200, {}, url});
      respond(HttpResponse{200, {}, "a second answer"});
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
  kept(HttpResponse{200, {}, "late"});
  EXPECT_EQ(c.rest(), "");
}

TEST_F(ListenerTest, TurnsAThrowIntoA500AndGoesOn) {
  start();
  handler.on_request = [](HttpRequest request, const protocol::Respond& respond) {
    if (request.url != "/fine") throw std::runtime_error("broken");
    respond(HttpResponse{200, {}, "fine"});
  };
  Client c = client();
  c.send(get("/x") + get("/storage/x") + get("/fine"));
  EXPECT_TRUE(c.response().starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(c.response().starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(c.response().ends_with("fine"));
}

// Row B-87: whatever one caller sends, the usual lane keeps threads and places for others.
TEST_F(ListenerTest, AFloodOfOneCallerLeavesTheLaneToOthers) {
  start();
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  handler.on_request = [&](HttpRequest request, const protocol::Respond& respond) {
    if (request.url == "/function/12") released.wait();
    respond(HttpResponse{200, {}, "done"});
  };
  const ListenerOptions usual;
  const std::size_t flood_size = usual.function.per_caller.in_all + 5;
  std::vector<Client> flood;
  for (std::size_t i = 0; i < flood_size; ++i) {
    flood.push_back(client());
    flood.back().send(get("/function/12"));
  }
  std::size_t refused = 0;
  for (bool any = true; any && refused < 5;) {
    any = false;
    for (Client& each : flood) {
      const std::string answer = each.read_some(1);
      if (answer.empty()) continue;
      any = true;
      ++refused;
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
      EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
    }
    any = any || refused < 5;
  }
  EXPECT_EQ(refused, 5U);
  Client same_app = client();
  same_app.send(get("/function/13"));
  EXPECT_TRUE(same_app.response().ends_with("done"));
  Client other_app = client();
  other_app.send(get("/function/23"));
  EXPECT_TRUE(other_app.response().ends_with("done"));
  release.set_value();
  flood.clear();
  listener->stop();  // what still waits looks at `released`
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
    respond(HttpResponse{200, {}, "done"});
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
    respond(HttpResponse{200, {}, "done"});
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
    respond(HttpResponse{200, {}, "done"});
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

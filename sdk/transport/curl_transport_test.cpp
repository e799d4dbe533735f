// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>

#include <keyturn/testing.hpp>

#include "sdk/transport/curl_loop.hpp"

namespace keyturn::sdk {
namespace {

using keyturn::testing::RecordedRequest;
using keyturn::testing::ScriptedResponse;
using keyturn::testing::ScriptedServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

class CurlTransportTest : public ::testing::Test {
 protected:
  Result<HttpResponse> send(HttpRequest request) {
    std::promise<Result<HttpResponse>> answer;
    auto future = answer.get_future();
    transport_.send(std::move(request), [&](Result<HttpResponse> result) {
      EXPECT_TRUE(loop_.on_loop_thread());
      answer.set_value(std::move(result));
    });
    return future.get();
  }
  HttpRequest get(const std::string& path) {
    return {.method = "GET", .url = server_.base_url() + path, .timeout = seconds{10}};
  }
  void answer_with(ScriptedResponse response) {
    server_.set_handler([response](const RecordedRequest&) { return response; });
  }

  ScriptedServer server_;
  CurlLoop loop_{system_clock()};
  CurlTransport transport_{loop_};
};

TEST(CurlLoopTest, WatchesADescriptorBeforeAndAfterTheFirstRequest) {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK);
  std::atomic<int> seen{0};
  {
    CurlLoop loop(system_clock());
    CurlTransport transport(loop);
    std::promise<void> first;
    std::promise<void> second;
    loop.watch(descriptor, [&] {
      std::uint64_t count = 0;
      ASSERT_EQ(::read(descriptor, &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
      (++seen == 1 ? first : second).set_value();
    });
    const std::uint64_t one = 1;
    ASSERT_GT(::write(descriptor, &one, sizeof(one)), 0);
    EXPECT_EQ(seen, 0) << "a watch alone starts no thread";
    loop.post([] {});
    EXPECT_EQ(first.get_future().wait_for(seconds{10}), std::future_status::ready);
    std::promise<void> answered;
    transport.send({.method = "GET", .url = "http://127.0.0.1:1/"}, [&](auto) { answered.set_value(); });
    answered.get_future().wait();
    ASSERT_GT(::write(descriptor, &one, sizeof(one)), 0);
    EXPECT_EQ(second.get_future().wait_for(seconds{10}), std::future_status::ready);
  }
  EXPECT_EQ(seen, 2);
  ::close(descriptor);
}

TEST_F(CurlTransportTest, CarriesMethodHeadersAndBodiesBothWays) {
  answer_with({.status = 207,
               .headers = {{"X-Answer", "yes"}, {"Date", "Mon, 23 Nov 2026 00:00:00 GMT"}},
               .body = "[1]"});
  HttpRequest request = get("/a?b=c");
  request.method = "PATCH";
  request.headers = {{"Authorization", "Bearer x"}, {"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = "{}";
  const auto response = send(request);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 207);
  EXPECT_EQ(response->body, "[1]");
  EXPECT_EQ(find_header(response->headers, "x-answer"), "yes");
  const RecordedRequest seen = server_.requests().at(0);
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.path, "/a?b=c");
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(find_header(seen.headers, "Authorization"), "Bearer x");
  EXPECT_EQ(find_header(seen.headers, "X-Empty"), "");
  EXPECT_FALSE(find_header(seen.headers, "Expect").has_value());
}

TEST_F(CurlTransportTest, EmptyPostHasALengthAndNoContentType) {
  answer_with({.status = 201});
  HttpRequest request = get("/x");
  request.method = "POST";
  ASSERT_EQ(send(request)->status, 201);
  EXPECT_EQ(find_header(server_.requests().at(0).headers, "Content-Length"), "0");
  EXPECT_FALSE(find_header(server_.requests().at(0).headers, "Content-Type").has_value());
}

// Rules S3 and S8: a redirect is an answer like any other; nothing goes to its address.
TEST_F(CurlTransportTest, DoesNotFollowRedirects) {
  ScriptedServer other;
  for (const int status : {301, 302, 303, 307, 308}) {
    answer_with({.status = status, .headers = {{"Location", other.base_url() + "/stolen"}}});
    EXPECT_EQ(send(get("/x"))->status, status);
  }
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(CurlTransportTest, SilentServerMeetsTheDeadline) {
  answer_with({.status = 200, .delay = seconds{30}});
  HttpRequest request = get("/x");
  request.timeout = milliseconds{200};
  const auto began = system_clock().boot_now();
  const auto response = send(request);
  const auto took = system_clock().boot_now() - began;
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::DeadlineExceeded);
  EXPECT_EQ(response.error().remedy, Remedy::retry_later);
  EXPECT_GE(took, milliseconds{190});
  EXPECT_LT(took, seconds{2});
}

TEST_F(CurlTransportTest, CutAnswersAreErrorsAtEveryLength) {
  const std::string body = R"({"access_token":"x"})";
  for (std::size_t length = 0; length < 97; length += 4) {
    answer_with({.status = 201, .body = body, .cut_after = length});
    const auto response = send(get("/x"));
    ASSERT_FALSE(response.has_value()) << length;
    EXPECT_EQ(response.error().code, ErrorCode::NetworkError) << length;
  }
}

TEST_F(CurlTransportTest, UnreachableServerIsANetworkError) {
  server_.set_reachable(false);
  EXPECT_EQ(send(get("/x")).error().code, ErrorCode::NetworkError);
  HttpRequest nobody = get("/x");
  nobody.url = "http://127.0.0.1:1/x";
  EXPECT_EQ(send(nobody).error().code, ErrorCode::NetworkError);
}

TEST_F(CurlTransportTest, OversizedHeadersAndBodiesAreRefused) {
  answer_with({.status = 200, .headers = {{"X-Long", std::string(70'000, 'a')}}, .body = "{}"});
  EXPECT_EQ(send(get("/x")).error().code, ErrorCode::NetworkError);
  answer_with({.status = 200, .body = std::string(20'000'001, 'a')});
  EXPECT_EQ(send(get("/x")).error().code, ErrorCode::NetworkError);
  answer_with({.status = 200, .body = std::string(20'000'000, 'a')});
  EXPECT_EQ(send(get("/x"))->body.size(), 20'000'000U);
}

TEST_F(CurlTransportTest, OtherSchemesAndLineBreaksAreRefused) {
  for (const char* url : {"file:///etc/hostname", "ftp://127.0.0.1/x", "127.0.0.1:x"}) {
    HttpRequest request = get("/x");
    request.url = url;
    EXPECT_FALSE(send(request).has_value()) << url;
  }
  HttpRequest request = get("/x");
  request.headers = {{"X-A", "b\r\nX-Injected: c"}};
  EXPECT_EQ(send(request).error().code, ErrorCode::InvalidConfiguration);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CurlTransportTest, ErrorsNameNoAddressAndNoHeader) {
  HttpRequest request = get("/x");
  request.url = "http://127.0.0.1:1/path?secret=canary";
  request.headers = {{"Authorization", "Bearer canary"}};
  EXPECT_EQ(send(request).error().message.find("canary"), std::string::npos);
}

// B-29 in small: the server closes idle connections, nobody notices.
TEST_F(CurlTransportTest, ConnectionClosedWhileIdleIsReplaced) {
  answer_with({.status = 200, .body = "{}"});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(send(get("/x")).has_value()) << i;
    if (i % 5 == 4) {
      server_.set_reachable(false);
      server_.set_reachable(true);
    }
  }
}

TEST_F(CurlTransportTest, ManyRequestsAtOnceAllAnswer) {
  answer_with({.status = 200, .body = "{}"});
  constexpr int kMany = 300;
  std::atomic<int> good = 0;
  std::promise<void> all;
  std::atomic<int> left = kMany;
  for (int i = 0; i < kMany; ++i) {
    transport_.send(get("/x"), [&](Result<HttpResponse> result) {
      if (result && result->status == 200) ++good;
      if (--left == 0) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(seconds{30}), std::future_status::ready);
  EXPECT_EQ(good, kMany);
}

// Row B-24: giving up is quick, and everyone is told once.
TEST_F(CurlTransportTest, StopTellsEveryoneWithinAHundredMilliseconds) {
  answer_with({.status = 200, .delay = seconds{30}});
  std::atomic<int> told = 0;
  for (int i = 0; i < 10; ++i) {
    transport_.send(get("/x"), [&](const Result<HttpResponse>& result) {
      EXPECT_EQ(result.error().code, ErrorCode::ClientAppDeallocated);
      ++told;
    });
  }
  while (server_.requests().size() < 5) std::this_thread::yield();
  const auto began = system_clock().boot_now();
  loop_.stop();
  EXPECT_LT(system_clock().boot_now() - began, milliseconds{100});
  EXPECT_EQ(told, 10);
  transport_.send(get("/x"), [&](const Result<HttpResponse>&) { ++told; });
  EXPECT_EQ(told, 11);
}

TEST(CurlLoop, RunsTasksInOrderAndTimersWhenDue) {
  CurlLoop loop(system_clock());
  std::vector<int> order;
  std::promise<void> done;
  loop.schedule(milliseconds{30}, [&] {
    order.push_back(3);
    done.set_value();
  });
  loop.schedule(milliseconds{10}, [&] { order.push_back(2); });
  loop.post([&] { order.push_back(0); });
  loop.post([&] { order.push_back(1); });
  ASSERT_EQ(done.get_future().wait_for(seconds{10}), std::future_status::ready);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_FALSE(loop.on_loop_thread());
}

TEST(CurlLoop, StopDestroysWaitingTasksUnrun) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  CurlLoop loop(system_clock());
  bool ran = false;
  loop.schedule(seconds{1000}, [held, &ran] { ran = true; });
  held.reset();
  loop.stop();
  EXPECT_TRUE(watched.expired());
  loop.post([&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST(CurlLoop, UnusedLoopStartsNoThread) {
  CurlLoop loop(system_clock());
  EXPECT_FALSE(loop.on_loop_thread());
  loop.stop();
}

}  // namespace
}  // namespace keyturn::sdk

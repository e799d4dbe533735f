// SPDX-License-Identifier: Apache-2.0
// Peers that are slow, rude or gone (rows B-22, B-24, B-26, B-29): every exchange ends in time, with one
// answer.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <string>

#include "sdk/transport/curl_loop.hpp"
#include "sdk/transport/testing/raw_server.hpp"

namespace {

// A name server that does not answer, for one name.
class StalledNames {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return released_; });
  }
  void await_waiter() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return waiting_ > 0; });
  }
  void stall() {
    const std::scoped_lock lock(mutex_);
    released_ = false;
    waiting_ = 0;
  }
  void release() {
    const std::scoped_lock lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool released_ = true;
};

// Never destroyed: a thread of the resolver may still be in it at the end of the process.
StalledNames& stalled_names() {
  static StalledNames& names = *new StalledNames;
  return names;
}

}  // namespace

// Found by libcurl before the one of the C library.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* __restrict name,
                                                                  const char* __restrict service,
                                                                  const struct addrinfo* __restrict hints,
                                                                  struct addrinfo** __restrict result) {
  if (name != nullptr && std::string(name) == "stalled.example") {
    stalled_names().wait();
    return EAI_AGAIN;
  }
  using Original = int (*)(const char*, const char*, const struct addrinfo*, struct addrinfo**);
  static const auto original = reinterpret_cast<Original>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return original(name, service, hints, result);
}

namespace keyturn::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Sanitizers keep what is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnMemory = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kOwnMemory = false;
#else
constexpr bool kOwnMemory = true;
#endif
#else
constexpr bool kOwnMemory = true;
#endif

/// A figure of /proc/self/status.
long memory_kib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long value = 0;
    if (word == name && status >> value) return value;
  }
  return 0;
}

constexpr const char* kGood = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

class HostileNetwork : public ::testing::Test {
 protected:
  Result<HttpResponse> send(HttpRequest request) {
    auto answer = std::make_shared<std::promise<Result<HttpResponse>>>();
    auto future = answer->get_future();
    const BootTime began = system_clock().boot_now();
    transport_.send(std::move(request),
                    [answer](Result<HttpResponse> result) { answer->set_value(std::move(result)); });
    Result<HttpResponse> result = future.get();
    took_ = std::chrono::duration_cast<milliseconds>(system_clock().boot_now() - began);
    return result;
  }
  static HttpRequest request(const std::string& url, milliseconds timeout = seconds{10}) {
    return {.method = "GET", .url = url, .timeout = timeout};
  }
  void expect_deadline(const Result<HttpResponse>& result, milliseconds deadline) const {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::DeadlineExceeded);
    EXPECT_GE(took_, deadline - milliseconds{5});
    EXPECT_LT(took_, deadline + milliseconds{250});
  }

  milliseconds took_{0};
  CurlLoop loop_{system_clock()};
  CurlTransport transport_{loop_};
};

TEST_F(HostileNetwork, DripOfHeadersMeetsTheDeadline) {
  RawServer server([](RawPeer& peer) {
    peer.read_request();
    for (const char c : std::string("HTTP/1.1 200 OK\r\nX-Slow: ") + std::string(1000, 'a')) {
      if (!peer.write({&c, 1}) || !peer.idle(milliseconds{20})) return;
    }
  });
  expect_deadline(send(request(server.url("/x"), milliseconds{400})), milliseconds{400});
}

TEST_F(HostileNetwork, DripOfABodyMeetsTheDeadline) {
  RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (peer.write("a") && peer.idle(milliseconds{20})) {
    }
  });
  expect_deadline(send(request(server.url("/x"), milliseconds{400})), milliseconds{400});
}

// The queue of the listener is full, so that a connection is never made.
TEST_F(HostileNetwork, BlackHoleMeetsTheDeadline) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, generic, size), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  ASSERT_EQ(getsockname(listener, generic, &size), 0);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(fillers.back(), generic, size);
  }
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/x";
  expect_deadline(send(request(url, milliseconds{400})), milliseconds{400});
  for (const int each : fillers) close(each);
  close(listener);
}

TEST_F(HostileNetwork, ResetIsANetworkError) {
  RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Le");
    peer.reset_on_close();
  });
  EXPECT_EQ(send(request(server.url("/x"))).error().code, ErrorCode::NetworkError);
}

TEST_F(HostileNetwork, WhatIsNotHttpIsANetworkError) {
  for (const char* answer : {"", "\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1\r\n\r\n",
                             "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    RawServer server([answer](RawPeer& peer) {
      peer.read_request();
      peer.write(answer);
    });
    const auto result = send(request(server.url("/x")));
    ASSERT_FALSE(result.has_value()) << answer;
    EXPECT_EQ(result.error().code, ErrorCode::NetworkError) << answer;
  }
}

TEST_F(HostileNetwork, EndlessAnswersAreCutOff) {
  const std::string body(64 * 1024, 'a');
  const auto endless = [](const std::string& head, const std::string& more) {
    return [head, more](RawPeer& peer) {
      peer.read_request();
      peer.write(head);
      while (peer.write(more)) {
      }
    };
  };
  RawServer headers(endless("HTTP/1.1 200 OK\r\n", "X-More: aaaaaaaaaaaaaaaa\r\n"));
  RawServer interim(endless("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"));
  RawServer chunks(
      endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n" + body + "\r\n"));
  RawServer close_delimited(endless("HTTP/1.1 200 OK\r\n\r\n", body));
  RawServer announced(endless("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", body));
  for (const RawServer* server : {&headers, &interim, &chunks, &close_delimited, &announced}) {
    const auto result = send(request(server->url("/x")));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::NetworkError);
    EXPECT_EQ(result.error().message, "the answer is too large");
  }
}

// Row B-26: what a stranger answers to a refresh costs next to nothing.
TEST_F(HostileNetwork, EndlessAnswersToARefreshCostNoMemory) {
  const std::string chunk(16 * 1024, 'a');
  RawServer server([chunk](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
    while (peer.write(chunk)) {
    }
  });
  const auto refresh = [&] { return send(request(server.url("/api/client/v2.0/auth/session"))); };
  (void)send(request(server.url("/none"), milliseconds{1}));  // libcurl is loaded
  std::ofstream("/proc/self/clear_refs") << 5;                // the peak is counted anew
  const long before = memory_kib("VmRSS:");
  for (int i = 0; i < 20; ++i) {
    const auto result = refresh();
    ASSERT_FALSE(result.has_value());
    ASSERT_EQ(result.error().message, "the answer is too large");
  }
  const long grown = memory_kib("VmHWM:") - before;
  EXPECT_TRUE(!kOwnMemory || grown <= 4 * 1024) << grown << " KiB";
}

TEST_F(HostileNetwork, InterimAnswersComeBeforeTheAnswer) {
  RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n");
    peer.write(kGood);
  });
  const auto result = send(request(server.url("/x")));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->status, 200);
  EXPECT_FALSE(find_header(result->headers, "X-Early").has_value());
}

TEST_F(HostileNetwork, ThousandRequestsShareOneConnection) {
  RawServer server([](RawPeer& peer) {
    while (!peer.read_request().empty()) {
      if (!peer.write(kGood)) return;
    }
  });
  for (int i = 0; i < 1000; ++i) {
    HttpRequest each = request(server.url("/x"));
    each.method = i % 2 == 0 ? "GET" : "POST";
    each.body = i % 4 == 3 ? "{}" : "";
    ASSERT_TRUE(send(std::move(each)).has_value()) << i;
  }
  EXPECT_EQ(server.connections(), 1);
}

// A connection that served a request before, and is closed after it took the next one without an answer.
class ClosedAfterTheRequest : public HostileNetwork {
 protected:
  Result<HttpResponse> send_on_used_connection(const std::string& method, const std::string& body) {
    EXPECT_TRUE(send(request(server_.url("/first"))).has_value());
    HttpRequest second = request(server_.url("/second"));
    second.method = method;
    second.body = body;
    return send(std::move(second));
  }

  std::atomic<int> seconds_seen_ = 0;
  RawServer server_{[this](RawPeer& peer) {
    for (std::string seen = peer.read_request(); !seen.empty(); seen = peer.read_request()) {
      if (seen.find(" /second ") != std::string::npos && ++seconds_seen_ == 1) return;
      peer.write(kGood);
    }
  }};
};

TEST_F(ClosedAfterTheRequest, RepeatsWhatMayBeRepeated) {
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    seconds_seen_ = 0;
    const auto result = send_on_used_connection(method, *method == 'P' ? "{}" : "");
    EXPECT_TRUE(result.has_value()) << method;
    EXPECT_EQ(seconds_seen_, 2) << method;
  }
}

// RFC 9110 section 9.2.2: the server may have done it already.
TEST_F(ClosedAfterTheRequest, SendsAPostWithABodyOnceOnly) {
  for (const char* method : {"POST", "PATCH"}) {
    seconds_seen_ = 0;
    const auto result = send_on_used_connection(method, R"({"name":"transfer"})");
    EXPECT_EQ(seconds_seen_, 1) << method;
    ASSERT_FALSE(result.has_value()) << method;
    EXPECT_EQ(result.error().code, ErrorCode::NetworkError);
    EXPECT_EQ(result.error().remedy, Remedy::retry_later);
  }
}

class StalledResolver : public HostileNetwork {
 protected:
  StalledResolver() { stalled_names().stall(); }
  ~StalledResolver() override { stalled_names().release(); }
};

TEST_F(StalledResolver, MeetsTheDeadlineAndHoldsUpNobody) {
  RawServer server([](RawPeer& peer) {
    while (!peer.read_request().empty()) peer.write(kGood);
  });
  auto other = std::make_shared<std::promise<void>>();
  transport_.send(request("http://stalled.example/x", milliseconds{100}),
                  [other](const Result<HttpResponse>& result) {
                    EXPECT_EQ(result.error().code, ErrorCode::DeadlineExceeded);
                    other->set_value();
                  });
  ASSERT_EQ(other->get_future().wait_for(seconds{5}), std::future_status::ready);
  ASSERT_TRUE(send(request(server.url("/x"))).has_value());
  EXPECT_LT(took_, seconds{1});
}

TEST_F(StalledResolver, StopsWithinAHundredMilliseconds) {
  std::atomic<int> told = 0;
  transport_.send(request("http://stalled.example/x"), [&](const Result<HttpResponse>& result) {
    EXPECT_EQ(result.error().code, ErrorCode::ClientAppDeallocated);
    ++told;
  });
  stalled_names().await_waiter();
  const BootTime began = system_clock().boot_now();
  loop_.stop();
  EXPECT_LT(system_clock().boot_now() - began, milliseconds{100});
  EXPECT_EQ(told, 1);
}

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

TEST(CurlLoopRounds, LeaveNoThreadBehind) {
  const auto before = threads_of_this_process();
  for (int round = 0; round < 200; ++round) {
    CurlLoop loop(system_clock());
    CurlTransport transport(loop);
    std::atomic<int> told = 0;
    transport.send({.method = "GET", .url = "http://127.0.0.1:1/x", .timeout = seconds{10}},
                   [&](const Result<HttpResponse>&) { ++told; });
    loop.stop();
    ASSERT_EQ(told, 1);
  }
  EXPECT_LE(threads_of_this_process(), before);  // one of a test before may have ended only now
}

}  // namespace
}  // namespace keyturn::sdk

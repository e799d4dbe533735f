// SPDX-License-Identifier: Apache-2.0
// The contract of StreamTransport on libcurl.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "sdk/transport/curl_loop.hpp"
#include "sdk/transport/testing/raw_server.hpp"

namespace keyturn::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const char* const kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// What one stream told.
struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<HttpResponse> head;
  std::string bytes;
  int calls_of_bytes = 0;
  bool takes = true;
  std::optional<Result<void>> end;

  StreamHandlers handlers() {
    return {[this](const HttpResponse& response) { note([&] { head = response; }); },
            [this](std::string_view piece) {
              bool taken = false;
              note([&] {
                ++calls_of_bytes;
                taken = takes;
                if (taken) bytes += piece;
              });
              return taken;
            },
            [this](Result<void> result) { note([&] { end.emplace(std::move(result)); }); }};
  }
  template <class Change>
  void note(Change change) {
    const std::scoped_lock lock(mutex);
    change();
    changed.notify_all();
  }
  template <class Condition>
  bool comes(Condition condition, milliseconds within = seconds{10}) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, within, condition);
  }
  bool comes_bytes(const std::string& wanted) {
    return comes([&] { return bytes == wanted; });
  }
};

class CurlStreamTest : public ::testing::Test {
 protected:
  std::shared_ptr<StreamCall> open(const RawServer& server, milliseconds timeout = seconds{10}) {
    return transport_.stream({.method = "GET", .url = server.url("/watch"), .timeout = timeout},
                             told_.handlers());
  }
  Told told_;
  CurlLoop loop_{system_clock()};
  CurlTransport transport_{loop_};
};

TEST_F(CurlStreamTest, TellsHeadAndBytesAsTheyComeAndTheEnd) {
  std::mutex gate;
  gate.lock();
  const RawServer server([&](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    peer.write(kHead);
    peer.write("one");
    const std::scoped_lock wait(gate);
    peer.write("two");
  });
  const auto call = open(server);
  ASSERT_TRUE(told_.comes([&] { return told_.head.has_value(); }));
  EXPECT_EQ(told_.head->status, 200);
  EXPECT_EQ(find_header(told_.head->headers, "content-type"), "text/event-stream");
  EXPECT_TRUE(told_.comes_bytes("one")) << "before the rest has come";
  gate.unlock();
  EXPECT_TRUE(told_.comes([&] { return told_.end.has_value(); }));
  EXPECT_EQ(told_.bytes, "onetwo");
  EXPECT_TRUE(*told_.end);
}

TEST_F(CurlStreamTest, RefusalIsAHeadWithABody) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}");
  });
  const auto call = open(server);
  ASSERT_TRUE(told_.comes([&] { return told_.end.has_value(); }));
  EXPECT_EQ(told_.head->status, 401);
  EXPECT_EQ(told_.bytes, "{}");
  EXPECT_TRUE(*told_.end);
}

TEST_F(CurlStreamTest, LimitIsOfTheHeadOnly) {
  const RawServer silent([](RawPeer& peer) {
    peer.read_request();
    peer.idle(seconds{10});
  });
  const auto first = open(silent, milliseconds{100});
  ASSERT_TRUE(told_.comes([&] { return told_.end.has_value(); }));
  EXPECT_EQ(told_.end->error().code, ErrorCode::DeadlineExceeded);
  told_.end.reset();
  const RawServer slow([](RawPeer& peer) {
    peer.read_request();
    peer.write(kHead);
    peer.idle(milliseconds{400});
    peer.write("late");
  });
  const auto second = open(slow, milliseconds{200});
  ASSERT_TRUE(told_.comes([&] { return told_.end.has_value(); }));
  EXPECT_TRUE(*told_.end);
  EXPECT_EQ(told_.bytes, "late");
}

TEST_F(CurlStreamTest, UnreachableServerIsANetworkError) {
  std::string url;
  {
    const RawServer gone([](RawPeer&) {});
    url = gone.url("/");
  }
  const auto call = transport_.stream({.url = url}, told_.handlers());
  ASSERT_TRUE(told_.comes([&] { return told_.end.has_value(); }));
  EXPECT_EQ(told_.end->error().code, ErrorCode::NetworkError);
}

TEST_F(CurlStreamTest, CancelEndsTheConnectionWithinATenthOfASecondAndTellsNothingMore) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<BootTime> gone;
  const RawServer server([&](RawPeer& peer) {
    peer.read_request();
    peer.write(kHead);
    peer.write("x");
    peer.idle(seconds{10});
    const std::scoped_lock lock(mutex);
    gone = system_clock().boot_now();
    changed.notify_all();
  });
  const auto call = open(server);
  ASSERT_TRUE(told_.comes_bytes("x"));
  const auto asked = system_clock().boot_now();
  call->cancel();
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, seconds{5}, [&] { return gone.has_value(); }));
  EXPECT_LT(*gone - asked, milliseconds{100});
  EXPECT_FALSE(told_.comes([&] { return told_.end.has_value(); }, milliseconds{20}));
}

TEST_F(CurlStreamTest, BytesThatWereNotTakenComeAgainAfterResume) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write(kHead);
    peer.write("kept back");
    peer.idle(seconds{10});
  });
  told_.takes = false;
  const auto call = open(server);
  ASSERT_TRUE(told_.comes([&] { return told_.calls_of_bytes > 0; }));
  EXPECT_EQ(told_.bytes, "");
  told_.note([&] { told_.takes = true; });
  call->resume();
  EXPECT_TRUE(told_.comes_bytes("kept back"));
}

TEST_F(CurlStreamTest, ClosedLoopEndsEveryStream) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.write(kHead);
    peer.write("x");
    peer.idle(seconds{10});
  });
  const auto call = open(server);
  ASSERT_TRUE(told_.comes_bytes("x"));
  loop_.stop();
  ASSERT_TRUE(told_.end.has_value());
  EXPECT_EQ(told_.end->error().code, ErrorCode::ClientAppDeallocated);
  call->cancel();
  Told late;
  transport_.stream({.url = server.url("/")}, late.handlers());
  ASSERT_TRUE(late.end.has_value());
  EXPECT_EQ(late.end->error().code, ErrorCode::ClientAppDeallocated);
}

}  // namespace
}  // namespace keyturn::sdk

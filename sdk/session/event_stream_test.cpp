// SPDX-License-Identifier: Apache-2.0
// What time does to a stream: silence, growing pauses, tokens that end. On a loop turned by hand.
#include "sdk/session/event_stream.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/testing/fake_clock.hpp"
#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk {
namespace {

using namespace std::chrono_literals;

/// Streams whose other end is the test.
class FakeStreams final : public StreamTransport {
 public:
  struct Call final : StreamCall {
    void cancel() override { cancelled = true; }
    void resume() override {}
    bool cancelled = false;
    HttpRequest request;
    StreamHandlers handlers;
  };
  std::shared_ptr<StreamCall> stream(HttpRequest request, StreamHandlers handlers) override {
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    call->handlers = std::move(handlers);
    calls.push_back(call);
    return call;
  }
  /// The newest call is answered and stays open.
  void opens() const { calls.back()->handlers.on_head({200, {{"Content-Type", "text/event-stream"}}, {}}); }
  void ends() const { calls.back()->handlers.on_end({}); }
  void breaks() const { calls.back()->handlers.on_end(Error(ErrorCode::NetworkError, "broken")); }

  std::vector<std::shared_ptr<Call>> calls;
};

class EventStreamTest : public ::testing::Test {
 protected:
  EventStreamTest() {
    SessionSettings settings;
    settings.app_id = "app";
    settings.base_url = "https://server.test";
    settings.boot_id = "boot-1";
    manager_ = *SessionManager::open(
        std::move(settings),
        {std::shared_ptr<Clock>(&clock_, [](Clock*) {}), loop_, transport_, MemoryTokenStores().open(),
         std::make_shared<testing::InlineCallbacks>(), [] { return 65'535U; }, streams_});
    manager_->log_in(testing::password_of("ada"),
                     [this](const Result<SessionManager::UserRef>& user) { user_ = *user; });
    loop_->run();
    manager_->open_stream(user_, "/watch",
                          {[](const std::string&) -> Result<void> { return {}; }, [this] { ++reconnects_; },
                           [this](const Error& error) { errors_.push_back(error); }},
                          [this](Result<std::shared_ptr<void>> handle) { handle_ = std::move(*handle); });
    loop_->run();
    streams_->opens();
  }
  ~EventStreamTest() override {
    handle_.reset();
    loop_->run();
    loop_->stop();
    transport_->exchanges.clear();
    manager_->close();
  }
  [[nodiscard]] std::size_t calls() const { return streams_->calls.size(); }

  keyturn::testing::FakeClock clock_;
  testing::ModelServer server_{clock_};
  std::shared_ptr<testing::ManualLoop> loop_ = std::make_shared<testing::ManualLoop>(clock_);
  std::shared_ptr<testing::FakeTransport> transport_ =
      std::make_shared<testing::FakeTransport>(*loop_, server_);
  std::shared_ptr<FakeStreams> streams_ = std::make_shared<FakeStreams>();
  std::shared_ptr<SessionManager> manager_;
  SessionManager::UserRef user_;
  std::shared_ptr<void> handle_;
  int reconnects_ = 0;
  std::vector<Error> errors_;
};

TEST_F(EventStreamTest, SilentStreamIsGivenUpAfterNinetySecondsAndOpenedAgain) {
  loop_->advance(89s);
  EXPECT_FALSE(streams_->calls[0]->cancelled);
  streams_->calls[0]->handlers.on_bytes(": still here\n\n");
  loop_->advance(89s);
  EXPECT_FALSE(streams_->calls[0]->cancelled) << "a comment counts";
  loop_->advance(32s);
  EXPECT_TRUE(streams_->calls[0]->cancelled);
  loop_->advance(1s);
  ASSERT_EQ(calls(), 2U);
  streams_->opens();
  EXPECT_EQ(reconnects_, 1);
}

TEST_F(EventStreamTest, PausesGrowWhileTheServerIsAwayAndAreBounded) {
  streams_->ends();
  std::vector<std::chrono::seconds> pauses;
  for (int i = 0; i < 8; ++i) {
    const std::size_t before = calls();
    std::chrono::seconds waited{0};
    while (calls() == before && waited < 60s) {
      loop_->advance(1s);
      ++waited;
    }
    pauses.push_back(waited);
    streams_->breaks();
  }
  EXPECT_EQ(pauses, (std::vector<std::chrono::seconds>{1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}));
  EXPECT_TRUE(errors_.empty());
}

TEST_F(EventStreamTest, StreamThatEndsAtOnceEachTimeMakesNoLoop) {
  std::size_t ended = 0;
  for (int i = 0; i < 100; ++i) {
    if (calls() > ended) {
      if (ended > 0) streams_->opens();
      ended = calls();
      streams_->ends();
    }
    loop_->advance(1s);
  }
  EXPECT_LT(calls(), 12U);
}

TEST_F(EventStreamTest, StreamThatEndsWithItsTokenIsOpenedAgainAtOnceWithAFreshOne) {
  const int refreshes = server_.refreshes;
  streams_->calls[0]->handlers.on_bytes(":\n\n");
  for (int i = 0; i < 31; ++i) {
    loop_->advance(60s);
    streams_->calls.back()->handlers.on_bytes(":\n\n");
  }
  const std::string old_token(*find_header(streams_->calls.back()->request.headers, "authorization"));
  streams_->ends();
  loop_->run();
  ASSERT_EQ(calls(), 2U) << "without a pause";
  EXPECT_NE(find_header(streams_->calls.back()->request.headers, "authorization"), old_token);
  EXPECT_GE(server_.refreshes, refreshes + 1);
}

TEST_F(EventStreamTest, RemovedUserEndsTheStream) {
  const auto removed = manager_->remove(user_);
  loop_->run();
  ASSERT_EQ(errors_.size(), 1U);
  EXPECT_TRUE(streams_->calls[0]->cancelled);
  loop_->advance(120s);
  EXPECT_EQ(calls(), 1U);
}

TEST_F(EventStreamTest, NothingIsToldAfterTheHandleIsGone) {
  const auto handlers = streams_->calls[0]->handlers;
  handle_.reset();
  loop_->run();
  EXPECT_TRUE(streams_->calls[0]->cancelled);
  handlers.on_bytes("data: x\n\n");
  handlers.on_end({});
  loop_->advance(120s);
  EXPECT_EQ(calls(), 1U);
  EXPECT_TRUE(errors_.empty());
}

}  // namespace
}  // namespace keyturn::sdk

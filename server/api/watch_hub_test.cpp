// SPDX-License-Identifier: Apache-2.0
#include "server/api/watch_hub.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/testing/fake_clock.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

using namespace std::chrono_literals;

/// Sessions that a test ends by hand.
class Sessions final : public SessionStore {
 public:
  Result<OpenOutcome> open(const Session&, std::int64_t) override { return OpenOutcome::opened; }
  Result<std::optional<SessionState>> find(std::string_view id) override {
    if (is_broken) return Error(ErrorCode::ServiceUnavailable, "broken");
    const auto found = states.find(std::string(id));
    if (found == states.end()) return std::optional<SessionState>();
    return std::optional<SessionState>(found->second);
  }
  Result<EndOutcome> end(std::string_view, std::string_view, std::string_view, EndReason, WallTime) override {
    return EndOutcome::unknown;
  }
  Result<int> end_all(std::string_view, std::string_view, std::string_view, EndReason, WallTime) override {
    return 0;
  }
  Result<std::vector<Session>> list(std::string_view, std::string_view) override {
    return std::vector<Session>();
  }
  Result<std::vector<Device>> devices(std::string_view, std::string_view) override {
    return std::vector<Device>();
  }
  Result<void> touch(const std::vector<std::pair<std::string, WallTime>>&) override { return {}; }
  Result<int> purge(WallTime, int) override { return 0; }

  std::map<std::string, SessionState> states;
  bool is_broken = false;
};

class Watches : public ::testing::Test {
 protected:
  Watches() { sessions.states["s1"] = SessionState{}; }
  Result<std::unique_ptr<protocol::BodyStream>> open(std::string user = "u1", std::string app = "a") {
    WatchOwner owner{{std::move(app), std::move(user), "s1", "d", "anon-user"}, clock.wall_now() + 1800s};
    return hub.open(owner, [this](DataService::ChangeObserver given) -> Result<std::shared_ptr<void>> {
      observer = std::move(given);
      return std::shared_ptr<void>(registration);
    });
  }
  std::string text(protocol::BodyStream& stream, bool ends = false) {
    const auto piece = stream.take();
    EXPECT_EQ(piece.ended, ends);
    return piece.bytes;
  }

  testing::FakeClock clock;
  Sessions sessions;
  WatchHub hub{sessions, clock, {.per_user = 2, .per_app = 3, .waiting_bytes = 100, .keep_alive = 15s}};
  DataService::ChangeObserver observer;
  std::shared_ptr<int> registration = std::make_shared<int>(0);
};

TEST_F(Watches, AnEventIsOneLineThatClientsDecode) {
  EXPECT_EQ(change_event({{"a", "100%\n\r\xC3\xA9"}}), "data: {\"a\":\"100%25\\n\\r\xC3\xA9\"}\n\n");
  EXPECT_EQ(error_event(session_over("a\nb")),
            "event: error\ndata: {\"error\":\"a\\nb\",\"error_code\":\"InvalidSession\"}\n\n");
}

TEST_F(Watches, EventsWaitForTheReaderWhoIsWoken) {
  auto stream = open();
  ASSERT_TRUE(stream);
  observer(EjsonDocument{{"n", 1}});
  int woken = 0;
  (*stream)->start([&] { ++woken; });
  EXPECT_EQ(text(**stream), "data: {\"n\":{\"$numberInt\":\"1\"}}\n\n");
  EXPECT_EQ(text(**stream), "");
  observer(EjsonDocument{{"n", 2}});
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(text(**stream), "data: {\"n\":{\"$numberInt\":\"2\"}}\n\n");
}

TEST_F(Watches, AReaderThatIsTooSlowIsToldSo) {
  auto stream = open();
  observer(EjsonDocument{{"n", std::string(60, 'x')}});
  observer(EjsonDocument{{"n", std::string(60, 'y')}});
  observer(EjsonDocument{{"n", 3}});
  const std::string all = text(**stream, true);
  EXPECT_NE(all.find("xxx"), std::string::npos);
  EXPECT_EQ(all.find("yyy"), std::string::npos);
  EXPECT_NE(all.find("event: error\n"), std::string::npos);
  EXPECT_LT(all.size(), 300U);
}

TEST_F(Watches, OneLargeEventIsNotTooSlow) {
  auto stream = open();
  observer(EjsonDocument{{"n", std::string(500, 'x')}});
  EXPECT_GT(text(**stream).size(), 500U);
}

TEST_F(Watches, TheStreamEndsWhenItsSessionEnds) {
  auto stream = open();
  hub.tick();
  EXPECT_EQ(text(**stream), "");
  sessions.is_broken = true;
  sessions.states["s1"].ended = true;
  hub.tick();
  EXPECT_EQ(text(**stream), "");  // a fault is no verdict
  sessions.is_broken = false;
  hub.tick();
  const std::string all = text(**stream, true);
  EXPECT_NE(all.find("\"error_code\":\"InvalidSession\""), std::string::npos);
}

TEST_F(Watches, TheStreamEndsWhenItsTokenExpires) {
  auto stream = open();
  clock.advance(1799s);
  hub.tick();
  EXPECT_EQ(text(**stream).find("event"), std::string::npos);
  clock.advance(1s);
  hub.tick();
  EXPECT_NE(text(**stream, true).find("access token expired"), std::string::npos);
}

TEST_F(Watches, AQuietStreamIsKeptAlive) {
  auto stream = open();
  clock.advance(14s);
  hub.tick();
  EXPECT_EQ(text(**stream), "");
  clock.advance(1s);
  hub.tick();
  EXPECT_EQ(text(**stream), ": keep-alive\n\n");
  hub.tick();
  EXPECT_EQ(text(**stream), "");
}

TEST_F(Watches, UsersAndAppsHaveLimits) {
  auto first = open();
  auto second = open();
  auto third = open();
  ASSERT_TRUE(first && second);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::TooManyRequests);
  auto other = open("u2");
  ASSERT_TRUE(other);
  EXPECT_FALSE(open("u3"));
  EXPECT_TRUE(open("u3", "b"));
  first = refusal(ErrorCode::BadRequest, "gone");
  EXPECT_TRUE(open("u3"));
}

TEST_F(Watches, ARegistrationGoesWithItsStream) {
  {
    auto stream = open();
    EXPECT_EQ(registration.use_count(), 2);
  }
  EXPECT_EQ(registration.use_count(), 1);
  EXPECT_EQ(hub.open_streams(), 0U);
  observer(EjsonDocument{{"n", 1}});  // a call that came too late
}

TEST_F(Watches, AWatchThatCannotBeginIsRefused) {
  const auto refused =
      hub.open({{"a", "u", "s1", "d", ""}, clock.wall_now() + 1s},
               [](auto) -> Result<std::shared_ptr<void>> { return refusal(ErrorCode::BadRequest, "no"); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(hub.open_streams(), 0U);
}

}  // namespace
}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
// Rows B-19 and B-20: a device whose wall clock is wrong, is set while it runs, or that sleeps. The server's
// clock is right all the time.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours kYear(24 * 365);

struct Offset {
  const char* name;
  std::chrono::seconds by;
};
constexpr Offset kOffsets[] = {{"MinusTenYears", -10 * kYear},
                               {"MinusADay", -24h},
                               {"Minus31Minutes", -31min},
                               {"Minus5Seconds", -5s},
                               {"Plus5Seconds", 5s},
                               {"Plus31Minutes", 31min},
                               {"PlusADay", 24h},
                               {"PlusTenYears", 10 * kYear}};

class ClockTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start(const std::string& boot = "boot-1") {
    auto process = std::make_unique<Process>(clock, server, stores.open(), boot);
    process->loop->run();
    return process;
  }
  ClockTest() {
    server.script = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      const auto claims = ModelServer::claims(ModelServer::bearer_of(request));
      if (claims.string_at("typ") == "access" && claims.int_at("exp").value_or(0) <= server.now())
        ++expired_sent;
      return std::nullopt;
    };
  }
  /// One request a second, as an app does that is in use.
  void use(Process& process, std::chrono::seconds time) {
    const auto user = process.manager->current();
    ASSERT_NE(user, nullptr) << "a lost session";
    for (auto passed = 0s; passed < time; passed += 1s) {
      const auto answer = process.turn(process.manager->request(user, {"GET", "/own"}));
      ASSERT_TRUE(answer);
      ASSERT_EQ(answer->status, 200);
      process.loop->advance(1s);
    }
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
  int expired_sent = 0;
};

class WrongClock : public ClockTest, public ::testing::WithParamInterface<Offset> {};
INSTANTIATE_TEST_SUITE_P(Offsets, WrongClock, ::testing::ValuesIn(kOffsets),
                         [](const auto& offset) { return std::string(offset.param.name); });

TEST_P(WrongClock, AtTheStartChangesNothing) {
  clock.step_wall(GetParam().by);
  auto process = start();
  (void)process->log_in(password_of("ada"));
  use(*process, 600s);
  EXPECT_EQ(server.refreshes, 0);
  use(*process, 3600s);
  EXPECT_LE(server.refreshes, 3);
  EXPECT_EQ(expired_sent, 0);
}

TEST_P(WrongClock, SetWhileRunningChangesNothing) {
  auto process = start();
  (void)process->log_in(password_of("ada"));
  use(*process, 100s);
  clock.step_wall(GetParam().by);
  use(*process, 600s);
  EXPECT_EQ(server.refreshes, 0);
  clock.step_wall(-2 * GetParam().by);
  use(*process, 300s);
  EXPECT_EQ(server.refreshes, 0);
  EXPECT_EQ(expired_sent, 0);
}

TEST_P(WrongClock, BetweenTwoProcessesOfOneBootChangesNothing) {
  (void)start()->log_in(password_of("ada"));
  clock.advance(100s);
  clock.step_wall(GetParam().by);
  auto process = start();
  use(*process, 600s);
  EXPECT_EQ(server.refreshes, 0);
  EXPECT_EQ(expired_sent, 0);
}

// After a reboot only the wall clock tells how long the device was off, and it may be wrong: one refresh, and
// no request with an expired token.
TEST_P(WrongClock, AcrossARebootCostsOneRefresh) {
  for (const auto off : {10s, 1700s, 1805s, 5400s}) {
    MemoryTokenStores own;
    std::swap(own, stores);
    (void)start()->log_in(password_of("ada"));
    const int before = server.refreshes;
    clock.advance(off);
    clock.step_wall(GetParam().by);
    auto process = start("boot-2");
    use(*process, 60s);
    EXPECT_LE(server.refreshes - before, 1) << off.count();
    EXPECT_EQ(expired_sent, 0) << off.count();
    use(*process, 600s);
    EXPECT_LE(server.refreshes - before, 1) << "a loop after " << off.count();
  }
}

// Row B-25 after a reboot: the server cannot be asked, so the estimate decides, and no session is lost.
TEST_P(WrongClock, AcrossARebootWithoutANetworkKeepsTheSession) {
  (void)start()->log_in(password_of("ada"));
  clock.advance(100s);
  clock.step_wall(GetParam().by);
  server.script = [](const HttpRequest&) { return HttpResponse{503, {}, ""}; };
  auto process = start("boot-2");
  const auto user = process->manager->current();
  ASSERT_NE(user, nullptr);
  const auto token = process->token(user);
  EXPECT_EQ(token.has_value(), 100s + GetParam().by >= 0s && 100s + GetParam().by < 1790s);
  if (!token) {
    EXPECT_EQ(token.error().remedy, Remedy::retry_later);
  }
  server.script = nullptr;
  process->loop->advance(120s);
  const auto fresh = process->token(user);
  ASSERT_TRUE(fresh);
  EXPECT_GT(ModelServer::claims(*fresh).int_at("exp").value_or(0), server.now());
}

// A wall clock that was wrong all the time, as on a device without a battery.
TEST_P(WrongClock, ThatStaysWrongIsNoTroubleAcrossAReboot) {
  clock.step_wall(GetParam().by);
  server.date_header = true;
  (void)start()->log_in(password_of("ada"));
  clock.advance(100s);
  auto process = start("boot-2");
  use(*process, 600s);
  EXPECT_EQ(server.refreshes, 1);
  EXPECT_EQ(expired_sent, 0);
  process.reset();
  clock.advance(1800s);
  process = start("boot-3");
  use(*process, 10s);
  EXPECT_EQ(server.refreshes, 2);
  EXPECT_EQ(expired_sent, 0);
}

// A network that swallows everything: the token that by the estimate lives is not held up for long.
TEST_F(ClockTest, AnUnconfirmedTokenWaitsTwoSecondsForASilentNetwork) {
  (void)start()->log_in(password_of("ada"));
  clock.advance(100s);
  auto process = start("boot-2");
  process->transport->held = true;
  const auto user = process->manager->current();
  auto pending = process->manager->valid_access_token(user, 10s);
  process->loop->advance(1'999ms);
  EXPECT_FALSE(pending.is_ready());
  process->loop->advance(1ms);
  ASSERT_TRUE(pending.is_ready());
  EXPECT_TRUE(pending.result());
  ASSERT_EQ(process->transport->exchanges.size(), 1U) << "the refresh goes on";
  process->transport->held = false;
  process->transport->finish(0);
  process->loop->run();
  EXPECT_EQ(server.refreshes, 1);
  use(*process, 600s);
  EXPECT_EQ(server.refreshes, 1);
}

class Sleep : public ClockTest, public ::testing::WithParamInterface<Offset> {};
INSTANTIATE_TEST_SUITE_P(Lengths, Sleep,
                         ::testing::Values(Offset{"A35MinuteNap", 35min}, Offset{"ADay", 24h},
                                           Offset{"AYear", kYear}),
                         [](const auto& offset) { return std::string(offset.param.name); });

TEST_P(Sleep, IsFollowedByAFreshToken) {
  auto process = start();
  (void)process->log_in(password_of("ada"));
  use(*process, 60s);
  clock.advance(GetParam().by);  // no timer runs meanwhile
  use(*process, 60s);
  EXPECT_EQ(expired_sent, 0);
  EXPECT_EQ(server.refreshes, 1);
}

// Row B-21: whatever a token says of its life, nothing loops and nothing is lost.
TEST_F(ClockTest, OddLivesOfTokensMakeNoLoop) {
  for (const auto life : {0s, 1s, -5s, std::chrono::seconds(kYear * 100)}) {
    server.lifetime = 1800s;
    MemoryTokenStores own;
    std::swap(own, stores);
    auto process = start();
    const auto user = *process->log_in(password_of("ada"));
    server.lifetime = life;
    ASSERT_TRUE(process->turn(process->manager->refresh(user)));
    const int before = server.refreshes;
    for (int i = 0; i < 600; ++i) {
      (void)process->token(user);
      process->loop->advance(1s);
    }
    EXPECT_EQ(user->state, UserState::logged_in) << life.count();
    if (life != 1s) {
      EXPECT_LE(server.refreshes - before, 4) << life.count();
    }
  }
}

}  // namespace
}  // namespace keyturn::sdk::testing

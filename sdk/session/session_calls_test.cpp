// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using Kind = UserEvent::Kind;

class SessionCallsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start(const std::string& boot = "boot-1") {
    return std::make_unique<Process>(clock, server, stores.open(), boot);
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
};

TEST_F(SessionCallsTest, ARequestIsRepeatedOnceAfterOur401) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  int refused = 0;
  server.script = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.url.find("/own") == std::string::npos) return std::nullopt;
    ++refused;
    return refusal(401, "InvalidSession", "invalid session: access token expired");
  };
  const auto answer =
      process->turn(process->manager->request(user, {"GET", "/own", {{"authorization", "Bearer mine"}}}));
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(server.refreshes, 1);
  for (int i = 0; i < 1'000; ++i) (void)process->turn(process->manager->request(user, {"GET", "/own"}));
  EXPECT_LE(server.refreshes, 31) << "a server that refuses what it gives must not make a loop";
  EXPECT_EQ(user->state, UserState::logged_in);
}

TEST_F(SessionCallsTest, ARequestGoesToTheOwnOriginOnly) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  EXPECT_EQ(process->turn(process->manager->request(user, {"GET", "https://evil.test/"})).error().code,
            ErrorCode::OriginNotAllowed);
  EXPECT_EQ(process->turn(process->manager->request(user, {"GET", "http://server.test/"})).error().code,
            ErrorCode::OriginNotAllowed);
  const auto answer = process->turn(process->manager->request(user, {"GET", "https://server.test/x"}));
  EXPECT_EQ(answer->body, R"({"user":"ada"})");
}

TEST_F(SessionCallsTest, ASiblingsRefreshIsAdopted) {
  auto one = start();
  auto two = start();
  const auto user_one = *one->log_in(password_of("ada"));
  (void)two->manager->valid_access_token(one->manager->current(), 0s);
  two->loop->run();
  const auto user_two = two->manager->current();
  ASSERT_NE(user_two, nullptr) << "the sibling's log-in was not seen";
  clock.advance(1800s);
  const auto fresh = *one->token(user_one);
  EXPECT_EQ(*two->token(user_two), fresh);
  EXPECT_EQ(server.refreshes, 1);
  // A log-out of one is one of the other.
  (void)one->turn(one->manager->log_out(user_one));
  clock.advance(1s);
  (void)two->token(user_two);
  EXPECT_FALSE(two->token(user_two));
  EXPECT_EQ(two->count(Kind::logged_out), 1);
}

TEST_F(SessionCallsTest, AVerdictOnAReplacedTokenIsNone) {
  auto one = start();
  const auto user = *one->log_in(password_of("ada"));
  clock.advance(1800s);
  one->transport->held = true;
  auto waiting = one->manager->valid_access_token(user, 0s);
  one->loop->run();
  server.end_sessions_of("ada", "revoked");
  auto two = start();
  (void)two->log_in(password_of("ada"));
  one->transport->finish(0);
  one->loop->run();
  ASSERT_TRUE(waiting.is_ready());
  EXPECT_TRUE(waiting.result());
  EXPECT_EQ(one->count(Kind::session_ended), 0);
}

TEST_F(SessionCallsTest, ALockThatIsNotReleasedDelaysButDoesNotBlock) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  const auto lock = *stores.open()->try_lock("ada");
  clock.advance(1800s);
  auto waiting = process->manager->valid_access_token(user, 0s);
  process->loop->advance(4s);
  EXPECT_FALSE(waiting.is_ready());
  process->loop->advance(2s);
  ASSERT_TRUE(waiting.is_ready());
  EXPECT_TRUE(waiting.result());
}

TEST_F(SessionCallsTest, ATokenIsJudgedByItsReceiptAfterARestart) {
  (void)start()->log_in(password_of("ada"));
  clock.advance(600s);
  clock.step_wall(-24h * 365);  // the device's clock is wrong by a year
  auto process = start();
  ASSERT_TRUE(process->token(process->manager->current()));
  EXPECT_EQ(server.refreshes, 0) << "the same boot: the boot clock tells";
  process.reset();
  process = start("boot-2");
  ASSERT_TRUE(process->token(process->manager->current()));
  EXPECT_EQ(server.refreshes, 1) << "after a reboot a clock that ran backwards tells nothing";
}

// Row B-07: closed in every state, nobody is left waiting.
TEST_F(SessionCallsTest, ClosingAnswersEverybody) {
  for (int steps = 0; steps < 12; ++steps) {
    auto process = start();
    const auto user = *process->log_in(password_of("ada"));
    clock.advance(1800s);
    process->transport->held = true;
    auto token = process->manager->valid_access_token(user, 0s);
    auto refresh = process->manager->refresh(user);
    auto request = process->manager->request(user, {"GET", "/x"});
    for (int i = 0; i < steps; ++i) {
      (void)process->loop->run_one();
      if (i > 4 && !process->transport->exchanges.empty()) process->transport->finish(0);
    }
    process.reset();
    for (const bool ready : {token.is_ready(), refresh.is_ready(), request.is_ready()})
      EXPECT_TRUE(ready) << steps;
  }
}

TEST_F(SessionCallsTest, LinkReplacesTheTokensAndKeepsTheUser) {
  auto process = start();
  const auto user = *process->log_in(anonymous(true));
  const auto before = user->facts();
  ASSERT_TRUE(process->turn(process->manager->link(user, password_of("ada"))));
  const auto after = user->facts();
  EXPECT_NE(after.refresh_token.reveal(), before.refresh_token.reveal());
  EXPECT_NE(after.generation, before.generation);
  EXPECT_EQ(process->count(Kind::profile_changed), 1);
  EXPECT_EQ(process->turn(process->manager->link(user, anonymous(true))).error().code,
            ErrorCode::ClientUserAlreadyNamed);
}

TEST_F(SessionCallsTest, NoLineOfTheLogHoldsAToken) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  process->loop->advance(5h);
  (void)process->turn(process->manager->log_out(user));
  ASSERT_FALSE(process->log.empty());
  for (const auto& line : process->log) {
    EXPECT_EQ(line.find("eyJ"), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace keyturn::sdk::testing

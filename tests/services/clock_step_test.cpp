// SPDX-License-Identifier: Apache-2.0
#include "server/domain/stepping_clock.hpp"
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

/// Row B-94: what a step of the server's own clock does to sessions.
class ClockStepTest : public ServicesTest {
 protected:
  void pass(std::chrono::minutes time) {
    for (; time > 0min; time -= 1min) {
      clock.advance(1min);
      believed.watch();
    }
  }
  SteppingClock believed{clock, {}};
  SessionService stepped{
      directory, session_store, user_store, believed, {&anonymous_provider, &password_provider}};
};

TEST_F(ClockStepTest, AStepForwardThatIsUndoneInFiveMinutesEndsNoSession) {
  ASSERT_TRUE(passwords.register_account(app(), "a@example.com", "secret-password"));
  const auto mine = stepped.log_in(app(), "local-userpass", userpass("a@example.com"), nullptr);
  ASSERT_TRUE(mine);
  clock.step_wall(std::chrono::hours(24 * 365));
  EXPECT_TRUE(stepped.refresh(mine->refresh_token.reveal())) << "at once";
  pass(5min);
  EXPECT_TRUE(stepped.refresh(mine->refresh_token.reveal()));
  EXPECT_TRUE(stepped.check_access(mine->access_token.reveal()));
  clock.step_wall(-std::chrono::hours(24 * 365));
  pass(1min);
  EXPECT_TRUE(stepped.refresh(mine->refresh_token.reveal()));
}

TEST_F(ClockStepTest, AStepBackLetsNoTokenLiveLonger) {
  const auto mine = stepped.log_in(app(), "anon-user", {}, nullptr);
  ASSERT_TRUE(mine);
  pass(29min);
  EXPECT_TRUE(stepped.check_access(mine->access_token.reveal()));
  clock.step_wall(-std::chrono::hours(1));
  pass(1min);
  EXPECT_THAT(stepped.check_access(mine->access_token.reveal()),
              SaysOver("invalid session: access token expired", EndReason::none));
  EXPECT_TRUE(stepped.refresh(mine->refresh_token.reveal()));
}

}  // namespace
}  // namespace keyturn::server::testing

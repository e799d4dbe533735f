// SPDX-License-Identifier: Apache-2.0
// What an app that closes still does.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;

class ClosingTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start() { return std::make_unique<Process>(clock, server, stores.open()); }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
};

// Rule S15: the loop is stopped before it came to the log-out.
TEST_F(ClosingTest, ALogOutThatTheLoopDidNotComeToIsDone) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  auto out = process->manager->log_out(user);
  EXPECT_TRUE(process->manager->finishing()) << "closing waits for it";
  process->loop->stop();
  process->manager->close();
  ASSERT_TRUE(out.is_ready());
  EXPECT_TRUE(out.result());
  EXPECT_EQ(user->state, UserState::logged_out);
  EXPECT_FALSE((*stores.open()->load_user("ada"))->logged_in);
  EXPECT_EQ(stores.open()->outbox()->size(), 1U) << "the server is told by the next process";
  EXPECT_EQ(process->count(UserEvent::Kind::logged_out), 1);
  process.reset();
  process = start();
  process->loop->advance(10s);
  EXPECT_EQ(server.log_outs, 1);
}

TEST_F(ClosingTest, ARemovalThatTheLoopDidNotComeToIsDone) {
  auto process = start();
  auto out = process->manager->remove(*process->log_in(password_of("ada")));
  process->loop->stop();
  process->manager->close();
  EXPECT_TRUE(out.result());
  EXPECT_TRUE(stores.open()->load()->empty());
  EXPECT_EQ(stores.open()->outbox()->size(), 1U);
}

// A program that is run for each token ends before the answer comes.
TEST_F(ClosingTest, ARefreshAheadIsWaitedFor) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  EXPECT_FALSE(process->manager->finishing());
  clock.advance(1'600s);  // of 1,800
  auto token = process->manager->valid_access_token(user, 10s);
  ASSERT_TRUE(token.is_ready());
  EXPECT_TRUE(process->manager->finishing()) << "before the loop came to it";
  const int before = server.refreshes;
  process->loop->advance(1s);
  EXPECT_EQ(server.refreshes, before + 1);
  EXPECT_FALSE(process->manager->finishing());
}

TEST_F(ClosingTest, ALogOutAfterTheEndSaysThatTheAppIsClosed) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  process->loop->stop();
  process->manager->close();
  auto out = process->manager->log_out(user);
  ASSERT_TRUE(out.is_ready());
  EXPECT_EQ(out.result().error().code, ErrorCode::ClientAppDeallocated);
  EXPECT_TRUE((*stores.open()->load_user("ada"))->logged_in);
}

}  // namespace
}  // namespace keyturn::sdk::testing

// SPDX-License-Identifier: Apache-2.0
// A pause of refreshes is of the device, not of the process that ran into it.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using State = RefreshCircuit::State;

class PauseTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start(const std::string& boot = "boot-1") {
    return std::make_unique<Process>(clock, server, stores.open(), boot);
  }
  void answer_with_503(const char* retry_after) {
    server.script = [this, retry_after](const HttpRequest&) {
      ++tries;
      return HttpResponse{503, {{"Retry-After", retry_after}}, ""};
    };
  }
  Result<void> refresh(Process& process) {
    return process.turn(process.manager->refresh(process.manager->current()));
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
  int tries = 0;
};

TEST_F(PauseTest, OutlivesTheProcess) {
  (void)start()->log_in(password_of("ada"));
  answer_with_503("600");
  for (int run = 0; run < 8; ++run) {
    auto process = start();
    const auto refused = refresh(*process);
    ASSERT_FALSE(refused);
    if (run == 0) continue;
    EXPECT_EQ(refused.error().code, ErrorCode::RefreshSuspended);
    EXPECT_NE(refused.error().message.find("HTTPError"), std::string::npos) << refused.error().message;
    const RefreshCircuit circuit = process->manager->circuit_of(*process->manager->current());
    EXPECT_EQ(circuit.state, State::open);
    EXPECT_EQ(circuit.failures, 1);
    EXPECT_GE(circuit.retry_in, 600s);
    EXPECT_LE(circuit.retry_in, 630s);
  }
  EXPECT_EQ(tries, 1);
  clock.advance(630s);
  EXPECT_EQ(refresh(*start()).error().code, ErrorCode::HTTPError);
  EXPECT_EQ(tries, 2);
  clock.advance(630s);
  server.script = nullptr;
  EXPECT_TRUE(refresh(*start()));
  EXPECT_TRUE(refresh(*start())) << "over with the first success";
}

TEST_F(PauseTest, IsObeyedByTheOtherProcesses) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  auto sibling = start();
  answer_with_503("600");
  (void)refresh(*sibling);
  clock.advance(1s);
  (void)process->token(user);  // looks around
  EXPECT_EQ(refresh(*process).error().code, ErrorCode::RefreshSuspended);
  EXPECT_EQ(tries, 1);
  clock.advance(630s);
  server.script = nullptr;
  EXPECT_TRUE(refresh(*sibling));
  clock.advance(1s);
  (void)process->token(user);
  EXPECT_EQ(process->manager->circuit_of(*user).state, State::closed);
}

// Whoever runs a program again after the network is back is served.
TEST_F(PauseTest, IsKeptFromTheSecondFailureOnUnlessAskedFor) {
  (void)start()->log_in(password_of("ada"));
  const auto lose = [this](const HttpRequest&) {
    ++tries;
    return HttpResponse{500, {}, ""};
  };
  server.script = lose;
  (void)refresh(*start());
  server.script = nullptr;
  EXPECT_TRUE(refresh(*start()));
  server.script = lose;
  for (int i = 0; i < 20; ++i) (void)refresh(*start());
  EXPECT_LE(tries, 1 + 10) << "the first third of the budget";
  EXPECT_EQ(refresh(*start()).error().code, ErrorCode::RefreshSuspended);
}

// They waited for the lock while the first one failed.
TEST_F(PauseTest, EndsTheTriesOfThoseWhoWaited) {
  auto process = start();
  (void)process->log_in(password_of("ada"));
  auto sibling = start();
  answer_with_503("600");
  process->transport->held = true;
  auto first = process->manager->refresh(process->manager->current());
  process->loop->run();
  auto second = sibling->manager->refresh(sibling->manager->current());
  sibling->loop->run();
  process->transport->finish(0);
  process->loop->run();
  EXPECT_FALSE(first.result());
  sibling->loop->advance(1s);
  ASSERT_TRUE(second.is_ready());
  EXPECT_EQ(second.result().error().code, ErrorCode::RefreshSuspended);
  EXPECT_EQ(tries, 1);
}

TEST_F(PauseTest, IsVoidAfterAReboot) {
  (void)start()->log_in(password_of("ada"));
  answer_with_503("600");
  (void)refresh(*start());
  EXPECT_EQ(refresh(*start("boot-2")).error().code, ErrorCode::HTTPError);
  EXPECT_EQ(tries, 2);
}

TEST_F(PauseTest, IsOverWithALogIn) {
  (void)start()->log_in(password_of("ada"));
  answer_with_503("600");
  (void)refresh(*start());
  server.script = nullptr;
  (void)start()->log_in(password_of("ada"));
  EXPECT_TRUE(refresh(*start()));
}

TEST_F(PauseTest, GrowsOverProcesses) {
  (void)start()->log_in(password_of("ada"));
  server.script = [this](const HttpRequest&) {
    ++tries;
    return HttpResponse{503, {}, ""};
  };
  for (int second = 0; second < 600; ++second) {
    (void)refresh(*start());
    clock.advance(1s);
  }
  EXPECT_LE(tries, 30) << "the budget of ten minutes";
}

}  // namespace
}  // namespace keyturn::sdk::testing

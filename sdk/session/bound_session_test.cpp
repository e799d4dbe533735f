// SPDX-License-Identifier: Apache-2.0
// Sessions that are bound to a key of the device, with the key and without.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"
#include "sdk/session/testing/device_keys.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using Kind = UserEvent::Kind;

class BoundSessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start() {
    return std::make_unique<Process>(clock, server, stores.open(), "boot-1", 1, true, keys);
  }
  void bind() { server.bound_to = jwt::thumbprint_of(*keys->find_or_make()); }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
  const std::shared_ptr<TestDeviceKeys> keys = std::make_shared<TestDeviceKeys>();
};

// The process began before there was a key.
TEST_F(BoundSessionTest, ASessionThatASiblingBoundIsRefreshed) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  bind();
  (void)start()->log_in(password_of("ada"));
  clock.advance(1800s);
  const auto token = process->token(user);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_TRUE(process->manager->check_device_key(*user));
}

TEST_F(BoundSessionTest, WithoutTheKeyTheUserMustLogInAndTheSessionIsKept) {
  auto process = start();
  bind();
  const auto user = *process->log_in(password_of("ada"));
  const jwt::Key lost = *std::exchange(keys->key, std::nullopt);
  clock.advance(1800s);
  for (int i = 0; i < 2; ++i) {  // the second one meets the cool-down
    const auto refused = process->token(user);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().remedy, Remedy::log_in_again);
    EXPECT_EQ(refused.error().code, i == 0 ? ErrorCode::DeviceKeyUnavailable : ErrorCode::RefreshSuspended);
  }
  EXPECT_EQ(user->state, UserState::logged_in);
  EXPECT_EQ(process->count(Kind::session_ended), 0);
  EXPECT_EQ(process->manager->check_device_key(*user).error().code, ErrorCode::DeviceKeyUnavailable);
  keys->key = lost;
  clock.advance(60s);
  EXPECT_TRUE(process->token(user)) << "it came back with a backup";
}

TEST_F(BoundSessionTest, WithoutTheKeyTheUserCanLogOut) {
  auto process = start();
  bind();
  const auto user = *process->log_in(password_of("ada"));
  keys->key.reset();
  EXPECT_TRUE(process->turn(process->manager->log_out(user)));
  process->loop->run();
  EXPECT_EQ(server.log_outs, 1);
}

}  // namespace
}  // namespace keyturn::sdk::testing

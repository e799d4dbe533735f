// SPDX-License-Identifier: Apache-2.0
// What else a network does: it is slow, silent, gone, or says everything twice. Rows B-22 and B-24 in small.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "tests/faults/network_rig.hpp"
#include "tests/faults/proxy.hpp"
#include "tests/faults/store_rig.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Network : public ::testing::Test {
 protected:
  Network() { server_.add_user("ada@example.com", "correct horse"); }

  static milliseconds now() {
    return std::chrono::duration_cast<milliseconds>(system_clock().boot_now().time_since_epoch());
  }

  testing::ScriptedServer server_;
  FaultProxy proxy_{port_of(server_.base_url())};
  sdk::MemoryTokenStores stores_;
};

TEST_F(Network, SlowAnswersAreWaitedFor) {
  Device device(proxy_.base_url(), stores_.open());
  const auto user = *device.log_in();
  proxy_.set({.delay = milliseconds(150)});
  EXPECT_EQ(device.refresh(user), 1);
  proxy_.set({.drip = milliseconds(1)});
  EXPECT_EQ(device.refresh(user), 1);
}

TEST_F(Network, SilenceCostsOneDeadlineAndNoSession) {
  const milliseconds deadline(400);
  Device device(proxy_.base_url(), stores_.open(), deadline);
  const auto user = *device.log_in();
  for (const Fault& fault : {Fault{.black_hole = true}, Fault{.drip = seconds(1)}}) {
    proxy_.set(fault);
    const milliseconds began = now();
    const auto refused = device.manager->refresh(user).result();
    const milliseconds took = now() - began;
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::DeadlineExceeded);
    EXPECT_GE(took, deadline - milliseconds(20));
    EXPECT_LE(took, deadline + milliseconds(300));
    EXPECT_EQ(user->state, UserState::logged_in);
    proxy_.heal();
    EXPECT_GE(device.refresh(user), 1);
  }
}

// A network that repeats a request: the server works on it twice, and nobody notices.
TEST_F(Network, DoubledRequestsDoNoHarm) {
  Device device(proxy_.base_url(), stores_.open());
  proxy_.set({.duplicate = true});
  const auto user = *device.log_in();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(device.refresh(user), 1);
  EXPECT_TRUE(comes_true([&] { return server_.refresh_count() == 40; })) << server_.refresh_count();
  EXPECT_EQ(user->state, UserState::logged_in);
  ASSERT_TRUE(device.manager->log_out(user).result());
  EXPECT_TRUE(comes_true([&] { return stores_.open()->outbox()->empty(); }));
}

TEST_F(Network, PartitionEndsWithoutALogIn) {
  Device device(proxy_.base_url(), stores_.open());
  const auto user = *device.log_in();
  for (int round = 0; round < (full_size() ? 200 : 10); ++round) {
    proxy_.set({.refuse = true});
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(device.manager->refresh(user).result());
    proxy_.heal();
    EXPECT_GE(device.refresh(user), 1);
    ASSERT_EQ(user->state, UserState::logged_in);
  }
}

// A log-out in a tunnel, the process gone before the network is back: the next process tells the server.
TEST_F(Network, LogOutReachesTheServerAfterARestart) {
  {
    Device device(proxy_.base_url(), stores_.open());
    const auto user = *device.log_in();
    proxy_.set({.refuse = true});
    ASSERT_TRUE(device.manager->log_out(user).result());
    EXPECT_EQ(user->state, UserState::logged_out);
  }
  EXPECT_EQ(stores_.open()->outbox()->size(), 1U);
  {
    Device offline(proxy_.base_url(), stores_.open());
    EXPECT_TRUE(comes_true([&] { return proxy_.connections() > 3; })) << "the delivery is not tried again";
    EXPECT_EQ(stores_.open()->outbox()->size(), 1U);
  }
  proxy_.heal();
  Device online(proxy_.base_url(), stores_.open());
  EXPECT_TRUE(comes_true([&] { return stores_.open()->outbox()->empty(); }));
  EXPECT_EQ(server_.count("DELETE", kSessionPath), 1);
}

}  // namespace
}  // namespace keyturn::faults

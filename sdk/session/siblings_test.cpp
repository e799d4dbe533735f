// SPDX-License-Identifier: Apache-2.0
// Processes that share a store hear of each other, whatever the app itself asks for.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"
#include "sdk/session/testing/faulty_store.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using Kind = UserEvent::Kind;

class SiblingsTest : public ::testing::Test {
 protected:
  /// A process on a system that has no watch to give, whose app subscribes to nothing unless it `hears`.
  std::unique_ptr<Process> start(bool hears) {
    return std::make_unique<Process>(clock, server, std::make_unique<FaultyStore>(stores.open(), disk),
                                     "boot-1", 1, hears);
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
  Disk disk{.deaf = true};
};

TEST_F(SiblingsTest, ALogOutElsewhereIsNoticedWithoutAWatch) {
  auto process = start(true);
  const auto user = *process->log_in(password_of("ada"));
  auto sibling = start(false);
  (void)sibling->turn(sibling->manager->log_out(sibling->manager->current()));
  process->loop->advance(1s);
  EXPECT_EQ(user->state, UserState::logged_out);
  EXPECT_EQ(process->count(Kind::logged_out), 1);
}

// Whoever uses a user, or lists them, is told as well as one that subscribes.
TEST_F(SiblingsTest, ALogOutElsewhereIsNoticedByWhoeverUsesTheUser) {
  for (const bool lists : {false, true}) {
    auto process = start(false);
    const auto user = *process->log_in(password_of("ada"));
    if (lists) {  // in a process that did not log in itself
      process = start(false);
      ASSERT_EQ(process->manager->all_users().size(), 1U);
    }
    process->loop->advance(1s);
    auto sibling = start(false);
    (void)sibling->turn(sibling->manager->log_out(sibling->manager->current()));
    process->loop->advance(1s);
    EXPECT_EQ((lists ? process->manager->all_users().front() : user)->state, UserState::logged_out) << lists;
  }
}

}  // namespace
}  // namespace keyturn::sdk::testing

// SPDX-License-Identifier: Apache-2.0
// What the app's own code throws is its own affair: nothing else suffers.
#include "sdk/session/callbacks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "sdk/session/call_gate.hpp"
#include "sdk/session/event_hub.hpp"
#include "sdk/session/testing/manual_loop.hpp"

namespace keyturn::sdk {
namespace {

TEST(CallbackThread, OutlivesWhatThrows) {
  std::atomic<int> threw = 0;
  CallbackThread thread([&] { ++threw; });
  std::promise<void> next;
  thread.run([] { throw std::runtime_error("secret"); });
  thread.run([] { throw 7; });
  thread.run([&] { next.set_value(); });
  next.get_future().wait();
  EXPECT_EQ(threw, 2);
  thread.close();
  thread.run([] { throw std::runtime_error("late"); });
  EXPECT_EQ(threw, 3);
}

TEST(EventHub, TellsTheOthersWhenAnObserverThrows) {
  std::vector<std::string> log;
  EventHub hub(std::make_shared<testing::InlineCallbacks>(),
               [&](const std::string& line) { log.push_back(line); });
  Subscription bad = hub.subscribe([](const UserEvent&) { throw std::runtime_error("a secret text"); });
  int heard = 0;
  const Subscription good = hub.subscribe([&](const UserEvent&) { ++heard; });
  bool over = false;
  EXPECT_TRUE(hub.tell({UserEvent::Kind::logged_in, "ada"}, [&](bool someone) { over = someone; }));
  EXPECT_EQ(heard, 1);
  EXPECT_TRUE(over);
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].find("secret"), std::string::npos) << log[0];
  bad.reset();  // waits for no call that has ended by throwing
}

TEST(CallGate, OpensAgainAfterACallThatThrew) {
  CallGate gate;
  EXPECT_FALSE(survives([&] { gate.pass([] { throw 1; }); }));
  int passed = 0;
  gate.pass([&] { ++passed; });
  EXPECT_EQ(passed, 1);
  std::promise<void> closed;
  std::thread closer([&] {
    gate.close();
    closed.set_value();
  });
  EXPECT_EQ(closed.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  closer.join();
}

TEST(Unthrowing, MakesALogSafeAndLeavesNoneAtAllAlone) {
  EXPECT_FALSE(unthrowing({}));
  int lines = 0;
  const auto log = unthrowing([&](std::string_view) {
    ++lines;
    throw std::runtime_error("disk full");
  });
  log("one");
  log("two");
  EXPECT_EQ(lines, 2);
}

}  // namespace
}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "server/http/thread_order.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <thread>
#include <utility>

#include "server/http/testing/listener_fixture.hpp"

namespace keyturn::server::http {
namespace {

struct ThreadOrder {
  int policy = -1;
  int nice = 0;
  std::uint64_t slice = 0;  ///< 0 before Linux 6.12.
};

ThreadOrder own_order() {
  std::array<unsigned char, 48> bytes{};
  ThreadOrder order;
  if (::syscall(SYS_sched_getattr, 0, bytes.data(), bytes.size(), 0U) != 0) return order;
  std::memcpy(&order.policy, bytes.data() + 4, sizeof order.policy);
  std::memcpy(&order.slice, bytes.data() + 24, sizeof order.slice);
  order.nice = ::getpriority(PRIO_PROCESS, 0);
  return order;
}

TEST(ThreadOrder, AnswersPromptlyWithTheSameShareOfTheProcessor) {
  const ThreadOrder here = own_order();
  if (here.policy != SCHED_OTHER) GTEST_SKIP() << "the test runs under another scheduling policy";
  ThreadOrder order;
  std::thread([&] {
    answer_promptly();
    order = own_order();
  }).join();
  EXPECT_EQ(order.policy, SCHED_OTHER);
  EXPECT_EQ(order.nice, here.nice);
  if (here.slice == 0) GTEST_SKIP() << "this kernel has no slices of a thread's own";
  EXPECT_EQ(order.slice, 100'000U);
  EXPECT_EQ(own_order().slice, here.slice) << "of that thread only";
}

TEST(ThreadOrder, StepsBackByThatManyAndNoFurtherThanTheLast) {
  const int here = own_order().nice;
  int after_ten = 0;
  int after_all = 0;
  std::thread([&] {
    step_back(10);
    after_ten = own_order().nice;
    step_back(40);
    after_all = own_order().nice;
  }).join();
  EXPECT_EQ(after_ten, std::min(here + 10, 19));
  EXPECT_EQ(after_all, 19);
  EXPECT_EQ(own_order().nice, here) << "that thread only";
}

TEST_F(ListenerTest, PutsTheThreadsThatAnswerBeforeThoseThatWaitForFunctions) {
  const ThreadOrder here = own_order();
  ThreadOrder order;
  handler.on_request = [&](HttpRequest, protocol::Respond respond) {
    order = own_order();
    respond(HttpResponse{200, {}, "."});
  };
  start();
  Client c = client();
  for (const auto& [path, nicer] :
       std::initializer_list<std::pair<const char*, int>>{{"/now", 0}, {"/storage", 0}, {"/function", 10}}) {
    c.send(get(path));
    ASSERT_TRUE(c.response().ends_with("."));
    EXPECT_EQ(order.nice, std::min(here.nice + nicer, 19)) << path;
    if (here.policy != SCHED_OTHER || here.slice == 0)
      continue;  // this kernel has no slices of a thread's own
    EXPECT_EQ(order.slice == 100'000U, path == std::string_view("/now")) << path;
  }
}

}  // namespace
}  // namespace keyturn::server::http

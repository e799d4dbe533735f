// SPDX-License-Identifier: Apache-2.0
// Row B-20 on real clocks: a process that was stopped longer than its token lives, and one whose boot clock
// goes on by a day, as it does while a device sleeps.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <keyturn/testing.hpp>

#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AppSleep : public ::testing::Test {
 protected:
  void log_in(seconds life) {
    server_.set_access_token_lifetime(life);
    server_.add_user("ada@example.com", "correct horse");
    App app(shared_app(scratch_ / "store", server_.base_url()));
    auto user = app.login(Credentials::username_password("ada@example.com", "correct horse")).result();
    ASSERT_TRUE(user);
    stale_ = *user->valid_access_token().result();
    seen_ = server_.requests().size();
  }
  Worker start(const char* mode) { return start_worker(mode, scratch_ / "store", server_.base_url()); }
  /// What the worker says next; 0 when it has ended.
  static char said(const Worker& worker) {
    char word = 0;
    return ::read(worker.from, &word, 1) == 1 ? word : '\0';
  }
  static char ask(const Worker& worker) { return ::write(worker.to, "?", 1) == 1 ? said(worker) : '\0'; }

  /// What came since the last look: a refresh, and requests, none of them with a token known to be over.
  void expect_fresh_requests(int wanted) {
    const auto requests = server_.requests();
    int refreshes = 0;
    int sent = 0;
    for (std::size_t i = seen_; i < requests.size(); ++i) {
      if (requests[i].path == "/api/client/v2.0/auth/session") ++refreshes;
      if (requests[i].path != "/api/client/v2.0/auth/profile") continue;
      ++sent;
      EXPECT_EQ(refreshes, 1) << "a request before the refresh";
      EXPECT_NE(find_header(requests[i].headers, "Authorization"), "Bearer " + stale_);
    }
    EXPECT_EQ(refreshes, 1);
    EXPECT_EQ(sent, wanted);
    seen_ = requests.size();
  }

  const Scratch scratch_;
  testing::ScriptedServer server_;
  std::string stale_;
  std::size_t seen_ = 0;
};

TEST_F(AppSleep, AStoppedProcessRefreshesBeforeItsFirstRequest) {
  // 35 minutes for a token of 30, six hundred times as fast.
  log_in(seconds(3));
  Worker worker = start("requests");
  ASSERT_EQ(said(worker), 'r');
  ASSERT_EQ(::kill(worker.pid, SIGSTOP), 0);
  std::this_thread::sleep_for(milliseconds(3'500));
  ASSERT_EQ(::kill(worker.pid, SIGCONT), 0);
  EXPECT_EQ(ask(worker), '+');
  expect_fresh_requests(1);
  EXPECT_EQ(end_of(worker), 0);
}

TEST_F(AppSleep, ADayOnTheBootClockIsADayOfTheTokensLife) {
  log_in(seconds(1'800));
  Worker worker = start("requests-a-day-later");
  const char word = said(worker);
  if (word == 'n') {
    (void)end_of(worker);
    GTEST_SKIP()
        << "no time name spaces here: they take root, a kernel with CONFIG_TIME_NS, and no thread of a "
           "sanitizer";
  }
  ASSERT_EQ(word, 'r');
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(worker), '+');
  expect_fresh_requests(3);
  EXPECT_EQ(end_of(worker), 0);
}

}  // namespace
}  // namespace keyturn::faults

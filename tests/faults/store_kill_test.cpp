// SPDX-License-Identifier: Apache-2.0
// Rows B-12 and B-13: a process is killed at random moments, and at every call of a refresh.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include <keyturn/testing.hpp>

#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

class StoreKill : public ::testing::Test {
 protected:
  StoreKill() {
    server_.add_user("ada@example.com", "correct horse");
    App app(shared_app(scratch_ / "store", server_.base_url()));
    app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
  }
  /// Opens the store as the next start of the app does: the session is there and serves. The time to a token.
  microseconds judge() {
    const auto start = steady_clock::now();
    auto app = App::open(shared_app(scratch_ / "store", server_.base_url()));
    EXPECT_TRUE(app) << (app ? "" : app.error().message);
    if (!app) return {};
    const auto user = app->get_current_user();
    EXPECT_TRUE(user) << "a lost session";
    EXPECT_TRUE(user && user->valid_access_token().result());
    return std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
  }
  /// Files of a change that was not finished.
  [[nodiscard]] int left_over() const {
    int out = 0;
    for (const auto& entry : fs::directory_iterator(scratch_ / "store")) {
      const std::string name = entry.path().filename();
      if (name.find(".new") != std::string::npos || name.find(".damaged") != std::string::npos) ++out;
    }
    return out;
  }

  const Scratch scratch_;
  testing::ScriptedServer server_;
};

TEST_F(StoreKill, AtRandomMomentsNoSessionIsLost) {
  const int cycles = full_size() ? 10'000 : 150;
  std::mt19937 chance(seed());
  std::vector<microseconds> starts;
  int refreshed = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    Worker worker = start_worker("refresh", scratch_ / "store", server_.base_url());
    ASSERT_GT(worker.pid, 0);
    std::this_thread::sleep_for(microseconds(chance() % 20'000));
    ::kill(worker.pid, SIGKILL);
    const int status = end_of(worker);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      ++refreshed;
    }
    starts.push_back(judge());
    ASSERT_FALSE(HasFailure()) << "cycle " << cycle << ", KEYTURN_SEED=" << seed();
    ASSERT_LE(left_over(), 1);
  }
  std::sort(starts.begin(), starts.end());
  const auto slowest = starts[starts.size() * 99 / 100];
  EXPECT_LE(slowest, std::chrono::milliseconds(200));
  std::cout << cycles << " kills (" << refreshed
            << " came too late), 0 sessions lost; start to first token p99 " << slowest.count() << " us\n";
}

TEST_F(StoreKill, AtEveryCallOfARefreshTheSessionStays) {
  if (!fs::exists("/usr/bin/strace")) GTEST_SKIP() << "no strace";
  const std::vector<std::string> few = {"pwrite64", "fdatasync", "flock"};
  const std::vector<std::string> all = {"openat", "write",  "pwrite64", "fsync", "fdatasync", "ftruncate",
                                        "rename", "unlink", "flock",    "read",  "pread64",   "close"};
  int kills = 0;
  for (const std::string& call : full_size() ? all : few) {
    for (int nth = 1;; ++nth) {
      Worker worker = start_worker("refresh", scratch_ / "store", server_.base_url(),
                                   {"strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                    "inject=" + call + ":signal=KILL:when=" + std::to_string(nth)});
      ASSERT_GT(worker.pid, 0);
      const int status = end_of(worker);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;  // fewer calls than that
      judge();
      ASSERT_FALSE(HasFailure()) << call << " " << nth;
      ++kills;
      ASSERT_LT(nth, 2'000);
    }
  }
  EXPECT_GT(kills, 0);
  std::cout << kills << " kills, one at each call, 0 sessions lost\n";
}

}  // namespace
}  // namespace keyturn::faults

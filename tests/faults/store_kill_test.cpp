// SPDX-License-Identifier: Apache-2.0
// Rows B-12 and B-13: a process is killed at random moments, and at every call of a refresh.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include <keyturn/testing.hpp>

#include "tests/faults/store_rig.hpp"
#include "tests/faults/store_worker.hpp"

namespace keyturn::faults {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

/// A device with a user who is logged in, and its server.
class Device {
 public:
  Device() {
    server_.add_user("ada@example.com", "correct horse");
    App app(shared_app(folder(), server_.base_url()));
    app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
  }
  [[nodiscard]] Worker start(const std::vector<std::string>& before = {}) const {
    return start_worker("refresh", folder(), server_.base_url(), before);
  }
  /// Opens the store as the next start of the app does: the session is there and serves. The time to a token.
  microseconds judge() {
    const auto start = steady_clock::now();
    auto app = App::open(shared_app(folder(), server_.base_url()));
    EXPECT_TRUE(app) << (app ? "" : app.error().message);
    if (!app) return {};
    const auto user = app->get_current_user();
    EXPECT_TRUE(user) << "a lost session";
    EXPECT_TRUE(user && user->valid_access_token().result());
    const auto took = std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
    if (!user) return took;
    const auto answer = user->request({"GET", "/api/client/v2.0/auth/profile"}).result();
    EXPECT_TRUE(answer && answer->status == 200)
        << "a session that does not serve: "
        << (answer ? std::to_string(answer->status) + " " + answer->body : answer.error().message);
    return took;
  }
  /// Of changes that were not finished at most one file is left, and no store was ever found damaged.
  void expect_tidy() const {
    int unfinished = 0;
    for (const auto& entry : fs::directory_iterator(folder())) {
      const std::string name = entry.path().filename();
      EXPECT_EQ(name.find(".damaged"), std::string::npos) << "an unreadable store: " << name;
      if (name.find(".new") != std::string::npos) ++unfinished;
    }
    EXPECT_LE(unfinished, 1);
  }

 private:
  [[nodiscard]] fs::path folder() const { return scratch_ / "store"; }

  const Scratch scratch_;
  testing::ScriptedServer server_;
};

struct Kills {
  std::vector<microseconds> starts;
  int refreshed = 0;
};

/// Cycle after cycle on a device of its own, until there are none left or one failed. The device is replaced
/// now and then: its server keeps each connection to its end.
Kills kill_again_and_again(std::uint32_t chances, std::atomic<int>& left) {
  Kills out;
  std::mt19937 chance(chances);
  std::unique_ptr<Device> device;
  for (int cycle = 0; left.fetch_sub(1) > 0 && !::testing::Test::HasFailure(); ++cycle) {
    if (cycle % 100 == 0) device = std::make_unique<Device>();
    Worker worker = device->start();
    EXPECT_GT(worker.pid, 0);
    if (worker.pid <= 0) break;
    std::this_thread::sleep_for(microseconds(chance() % 20'000));
    ::kill(worker.pid, SIGKILL);
    const int status = end_of(worker);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      ++out.refreshed;
    }
    out.starts.push_back(device->judge());
    device->expect_tidy();
  }
  return out;
}

TEST(StoreKill, AtRandomMomentsNoSessionIsLost) {
  constexpr std::uint32_t kDevices = 4;  // a cycle is mostly sleep
  const int cycles = full_size() ? 100'000 : 1'000;
  std::atomic<int> left = cycles;
  std::array<Kills, kDevices> kills;
  std::vector<std::thread> devices;
  for (std::uint32_t i = 0; i < kDevices; ++i)
    devices.emplace_back([&, i] { kills[i] = kill_again_and_again(seed() + i, left); });
  for (auto& device : devices) device.join();
  Kills all;
  for (const Kills& one : kills) {
    all.starts.insert(all.starts.end(), one.starts.begin(), one.starts.end());
    all.refreshed += one.refreshed;
  }
  ASSERT_FALSE(HasFailure()) << "KEYTURN_SEED=" << seed();
  ASSERT_EQ(all.starts.size(), static_cast<std::size_t>(cycles));
  std::sort(all.starts.begin(), all.starts.end());
  const auto slowest = all.starts[all.starts.size() * 99 / 100];
  EXPECT_LE(slowest, std::chrono::milliseconds(200));
  std::cout << cycles << " kills (" << all.refreshed
            << " came too late), 0 sessions lost; start to first token p99 " << slowest.count() << " us\n";
}

TEST(StoreKill, AtEveryCallOfARefreshTheSessionStays) {
  if (!fs::exists("/usr/bin/strace")) GTEST_SKIP() << "no strace";
  const std::vector<std::string> few = {"pwrite64", "fdatasync", "flock"};
  const std::vector<std::string> all = {"openat", "write",  "pwrite64", "fsync", "fdatasync", "ftruncate",
                                        "rename", "unlink", "flock",    "read",  "pread64",   "close"};
  Device device;
  int kills = 0;
  for (const std::string& call : full_size() ? all : few) {
    for (int nth = 1;; ++nth) {
      Worker worker = device.start({"strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                    "inject=" + call + ":signal=KILL:when=" + std::to_string(nth)});
      ASSERT_GT(worker.pid, 0);
      const int status = end_of(worker);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;  // fewer calls than that
      device.judge();
      device.expect_tidy();
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

// SPDX-License-Identifier: Apache-2.0
// Row B-19: the command line on a device whose wall clock is wrong, by libfaketime, against the real daemon.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/end_to_end/daemon_process.hpp"

namespace keyturn::end_to_end {
namespace {

constexpr const char* kOffsets[] = {"-10y", "-1d", "-31m", "-5s", "+5s", "+31m", "+1d", "+10y"};
const std::vector<std::string> kRefreshLine = {"POST", "/auth/session"};
const std::vector<std::string> kRefusedLine = {"/client/v2.0/auth/profile", "\"status\":401"};

class WrongClockTest : public testing::Test {
 protected:
  /// Exit status of `keyturn` with these words; with an offset, on a wall clock that is wrong by so much.
  int keyturn(const std::string& offset, std::vector<std::string> words) {
    words.insert(words.begin(), KEYTURN_PATH);
    return run(offset, std::move(words));
  }
  int run(const std::string& offset, std::vector<std::string> words) {
    if (!offset.empty()) words.insert(words.begin(), {"faketime", "-f", offset});
    std::vector<std::string> variables = {"KEYTURN_STORE=" + (folder_.path() / "store").string(),
                                          "KEYTURN_BASE_URL=" + daemon_.base_url(), "KEYTURN_APP=" + app_.id,
                                          "FAKETIME_DONT_FAKE_MONOTONIC=1", "PATH=/usr/bin:/bin"};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string out = folder_.path() / "out";
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t process = -1;
    const int fault = posix_spawnp(&process, words[0].c_str(), &actions, nullptr, pointers(words).data(),
                                   pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(fault, 0) << "no " << words[0] << "; script/bootstrap installs it";
    int status = 0;
    waitpid(process, &status, 0);
    std::ifstream told(out, std::ios::binary);
    said_.assign(std::istreambuf_iterator<char>(told), {});
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] int refreshes() { return count(kRefreshLine); }
  [[nodiscard]] int refused() { return count(kRefusedLine); }
  void make_app(int access_lifetime) { app_ = admin_.create_app("clock", access_lifetime); }

  /// Lines of the daemon's log, which it writes a little later: first what was asked last must be there.
  int count(const std::vector<std::string>& texts) {
    const std::vector<std::string> mark = {"/mark/" + std::to_string(++marks_) + "\""};
    (void)daemon_.status_of_get(mark[0].substr(0, mark[0].size() - 1), "x");
    for (int tries = 0; tries < 1'000 && daemon_.count_log_lines(mark) == 0; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(daemon_.count_log_lines(mark), 1);
    return daemon_.count_log_lines(texts);
  }

  DaemonProcess daemon_;
  Administrator admin_{daemon_};
  TestApp app_;
  TemporaryFolder folder_;
  std::string said_;
  int marks_ = 0;

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& each : texts) all.push_back(each.data());
    all.push_back(nullptr);
    return all;
  }
};

std::string name_of(const testing::TestParamInfo<const char*>& offset) {
  const std::string text = offset.param;
  return (text.front() == '-' ? "Minus" : "Plus") + text.substr(1);
}

class WrongClock : public WrongClockTest, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Offsets, WrongClock, testing::ValuesIn(kOffsets), name_of);
class VeryWrongClock : public WrongClock {};
INSTANTIATE_TEST_SUITE_P(Offsets, VeryWrongClock, testing::Values("-10y", "+10y"), name_of);

TEST_F(WrongClockTest, IsWrongAndRefusalsAreSeen) {
  make_app(0);
  ASSERT_EQ(run("", {"date", "+%Y"}), 0);
  const int year = std::stoi(said_);
  ASSERT_EQ(run("-10y", {"date", "+%Y"}), 0);
  EXPECT_NEAR(std::stoi(said_), year - 10, 1);
  EXPECT_EQ(daemon_.status_of_get("/api/client/v2.0/auth/profile", "x.y.z"), 401);
  EXPECT_EQ(refused(), 1);
}

TEST_P(WrongClock, CostsNoSessionAndNoRefreshBeforeItsTime) {
  make_app(0);
  ASSERT_EQ(keyturn("", {"login", "--anonymous"}), 0) << said_;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(keyturn(GetParam(), {"request", "/api/client/v2.0/auth/profile"}), 0) << said_;
    EXPECT_EQ(keyturn("", {"request", "/api/client/v2.0/auth/profile"}), 0) << said_;
  }
  EXPECT_EQ(refreshes(), 0);
  EXPECT_EQ(refused(), 0);
}

TEST_P(VeryWrongClock, SendsNoTokenThatIsKnownToBeExpired) {
  make_app(2);
  ASSERT_EQ(keyturn(GetParam(), {"login", "--anonymous"}), 0) << said_;
  EXPECT_EQ(keyturn(GetParam(), {"request", "/api/client/v2.0/auth/profile"}), 0) << said_;
  std::this_thread::sleep_for(std::chrono::milliseconds(2'200));  // the daemon's token ends by real time
  const int before = refreshes();
  EXPECT_EQ(keyturn(GetParam(), {"request", "/api/client/v2.0/auth/profile"}), 0) << said_;
  EXPECT_EQ(refreshes() - before, 1);
  EXPECT_EQ(refused(), 0) << "a token was sent that had expired";
  EXPECT_EQ(keyturn("", {"status"}), 0) << said_;
}

}  // namespace
}  // namespace keyturn::end_to_end

// SPDX-License-Identifier: Apache-2.0
// A sibling process stands still in the middle of its own step of the store: what needs the store waits, and
// nothing else does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include <keyturn/app.hpp>
#include <keyturn/base/clock.hpp>
#include <keyturn/testing.hpp>

#include "sdk/app/testing/app_on_disk.hpp"

namespace keyturn {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class HeldStoreTest : public testing::AppOnDiskTest {
 protected:
  HeldStoreTest() { server.add_user("eve@example.com", "correct horse"); }
  ~HeldStoreTest() override { release(); }
  /// A process takes SQLite's write lock, and stands still.
  void hold() {
    std::string file;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().extension() == ".db") file = entry.path().string() + "-shm";
    }
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    sibling = ::fork();
    if (sibling == 0) {  // of all threads only this one is here: system calls alone
      struct flock write_lock {};
      write_lock.l_type = F_WRLCK;
      write_lock.l_whence = SEEK_SET;
      write_lock.l_start = 120;  // WAL_WRITE_LOCK in the file format of SQLite's log index
      write_lock.l_len = 1;
      const int index = ::open(file.c_str(), O_RDWR);
      const char held = index >= 0 && ::fcntl(index, F_SETLK, &write_lock) == 0 ? 'y' : 'n';
      if (::write(ready[1], &held, 1) == 1) ::pause();
      ::_exit(1);
    }
    char held = '?';
    EXPECT_EQ(::read(ready[0], &held, 1), 1);
    EXPECT_EQ(held, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  /// It ends, and has changed nothing.
  void release() {
    if (sibling <= 0) return;
    ::kill(sibling, SIGKILL);
    ::waitpid(sibling, nullptr, 0);
    sibling = 0;
  }

  pid_t sibling = 0;
};

TEST_F(HeldStoreTest, DeadlinesAreKeptWhileALogInAndARefreshWaitForIt) {
  App app(config());
  User ada = log_in_to(app, "ada").get();
  std::promise<void> answered;
  server.set_handler(
      [&](const testing::RecordedRequest& request) -> std::optional<testing::ScriptedResponse> {
        if (request.path == "/endless") return testing::ScriptedResponse{.stream = testing::ScriptedStream()};
        if (request.method == "POST" && request.path.ends_with("/auth/session")) answered.set_value();
        return std::nullopt;
      });
  hold();
  auto eve = log_in_to(app, "eve");
  auto refreshed = ada.refresh_access_token();
  answered.get_future().wait();
  std::chrono::microseconds latest{0};
  for (int call = 0; call < 3; ++call) {
    const BootTime began = system_clock().boot_now();
    const auto answer = ada.request({.url = "/endless", .timeout = 500ms}).result();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::DeadlineExceeded);
    latest = std::max<std::chrono::microseconds>(latest, system_clock().boot_now() - began - 500ms);
  }
  RecordProperty("latest_us", static_cast<int>(latest.count()));
  EXPECT_LT(latest, 400ms) << "a call was held up";  // by 25 ms, and what a busy machine adds
  EXPECT_FALSE(eve.is_ready());
  EXPECT_FALSE(refreshed.is_ready());
  release();
  EXPECT_TRUE(refreshed.result());
  const User logged_in = eve.get();
  EXPECT_EQ(*app.get_current_user(), logged_in);
  EXPECT_EQ(App(config()).all_users().size(), 2U);
}

TEST_F(HeldStoreTest, ASwitchOfUsersWaitsForIt) {
  App app(config());
  const User ada = log_in_to(app, "ada").get();
  const User eve = log_in_to(app, "eve").get();
  hold();
  std::promise<bool> switched;
  auto is_switched = switched.get_future();
  const std::jthread thread([&] { switched.set_value(app.switch_user(ada).has_value()); });
  EXPECT_EQ(is_switched.wait_for(100ms), std::future_status::timeout);
  release();
  EXPECT_TRUE(is_switched.get());
  EXPECT_EQ(*app.get_current_user(), ada);
}

// As before, opening and closing are patient: nobody else is held up by them.
TEST_F(HeldStoreTest, ALogOutHoldsAtOnceAndIsOnTheDiskWhenTheAppHasClosed) {
  std::optional<App> app(config());
  User ada = log_in_to(*app, "ada").get();
  hold();
  auto out = ada.log_out();
  while (ada.is_logged_in()) std::this_thread::yield();
  EXPECT_FALSE(out.is_ready()) << "the disk still holds the tokens";
  std::promise<void> closed;
  auto is_closed = closed.get_future();
  const std::jthread thread([&] {
    app.reset();
    closed.set_value();
  });
  EXPECT_EQ(is_closed.wait_for(300ms), std::future_status::timeout);
  release();
  is_closed.get();
  EXPECT_TRUE(out.result());
  EXPECT_FALSE(App(config()).get_current_user());
}

}  // namespace
}  // namespace keyturn

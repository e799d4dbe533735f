// SPDX-License-Identifier: Apache-2.0
// A child of fork() has an app's memory but none of its threads.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <utility>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

#include "sdk/app/testing/app_on_disk.hpp"

namespace keyturn {
namespace {

class ForkTest : public testing::AppOnDiskTest {
 protected:
  /// Whether a child that runs `body` ends, and finds it true; the alarm ends one that hangs.
  static bool in_child(const std::function<bool()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(10);
      ::_exit(body() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
};

TEST_F(ForkTest, AChildGetsAnErrorForWhatNeedsAThreadAndMayLetGo) {
  App app(config());
  User user = app.login(Credentials::username_password("ada@example.com", "correct horse")).get();
  const std::string token = user.access_token();
  const auto closed = [](const auto& result) {
    return !result && result.error().code == ErrorCode::ClientAppDeallocated;
  };
  EXPECT_TRUE(in_child([&] { return closed(user.refresh_access_token().result()); }));
  EXPECT_TRUE(in_child([&] { return closed(user.request({"GET", "/x"}).result()); }));
  EXPECT_TRUE(in_child([&] { return closed(app.login(Credentials::anonymous()).result()); }));
  EXPECT_TRUE(in_child([&] { return closed(app.switch_user(user)); }));
  EXPECT_TRUE(in_child([&] {
    bool told = false;
    user.refresh_access_token().then([&](const Result<void>& result) { told = closed(result); });
    return told;
  }));
  EXPECT_TRUE(in_child([&] { return user.access_token() == token && user.is_logged_in(); }));
  EXPECT_TRUE(in_child([&] {
    const Subscription subscription = app.subscribe([](const UserEvent&) {});
    const App ends = std::move(app);
    return true;
  }));
  EXPECT_TRUE(user.refresh_access_token().result()) << "the parent's app is as it was";
  EXPECT_EQ(app.get_current_user(), user);
}

}  // namespace
}  // namespace keyturn

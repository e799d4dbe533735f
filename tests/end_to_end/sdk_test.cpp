// SPDX-License-Identifier: Apache-2.0
// The SDK against the real daemon: what only both together can show.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include <keyturn/app.hpp>

#include "tests/end_to_end/daemon_process.hpp"

namespace keyturn::end_to_end {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const char* const kProfile = "/api/client/v2.0/auth/profile";
const std::vector<std::string> kRefreshLine = {"POST", "/auth/session"};

App open_app(const DaemonProcess& daemon, const TestApp& app, const TemporaryFolder& store,
             bool bind = false) {
  return App({.app_id = app.id,
              .base_url = daemon.base_url(),
              .store = TokenStoreConfiguration::in_directory(
                  store.path(), TokenStoreKey::supplied(Secret(std::string(64, 'k')))),
              .bind_sessions = bind});
}

// Real time has to pass here: the daemon is a process with the machine's clock.
void let_pass(milliseconds time) { std::this_thread::sleep_for(time); }

template <class Condition>
bool comes_true(Condition condition, milliseconds within = seconds{5}) {
  for (milliseconds waited{0}; waited < within; waited += milliseconds{10}) {
    if (condition()) return true;
    let_pass(milliseconds{10});
  }
  return condition();
}

class SdkWithDaemon : public testing::Test {
 protected:
  DaemonProcess daemon_;
  Administrator admin_{daemon_};
  TemporaryFolder store_;
};

// B-01, on the wire.
TEST_F(SdkWithDaemon, HundredCallersMeetingAnExpiredTokenCauseOneRefresh) {
  const TestApp made = admin_.create_app("stampede", 2);
  App app = open_app(daemon_, made, store_);
  const User user = app.login(Credentials::anonymous()).get();
  const std::string expired = user.access_token();
  let_pass(seconds{3});
  const int before = daemon_.count_log_lines(kRefreshLine);
  constexpr int kCallers = 100;
  std::latch start(kCallers);
  std::atomic<int> good = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      start.arrive_and_wait();
      if (user.valid_access_token(seconds{0}).get() != expired) ++good;
    });
  }
  callers.clear();
  EXPECT_EQ(good, kCallers);
  EXPECT_TRUE(comes_true([&] { return daemon_.count_log_lines(kRefreshLine) > before; }));
  const int refreshes = daemon_.count_log_lines(kRefreshLine) - before;
  RecordProperty("refreshes", refreshes);  // bench/run puts it into its table
  EXPECT_EQ(refreshes, 1);
}

// RFC 9449: a refresh token that left the device is worth nothing.
TEST_F(SdkWithDaemon, BoundSessionIsRefreshedByItsDeviceOnly) {
  const TestApp made = admin_.create_app("bound", 2);
  std::string stolen;
  {
    App app = open_app(daemon_, made, store_, true);
    const User user = app.login(Credentials::anonymous()).get();
    EXPECT_TRUE(user.is_bound_to_device());
    user.refresh_access_token().get();
    stolen = user.refresh_token();
  }
  EXPECT_EQ(daemon_.status_of_get("/api/client/v2.0/auth/api_keys", stolen), 400);

  // The binding outlives the wish for it, and a restart of the server with its nonces.
  App app = open_app(daemon_, made, store_);
  const User user = app.get_current_user().value();
  user.refresh_access_token().get();
  daemon_.stop(SIGKILL);
  daemon_.start();
  EXPECT_TRUE(user.refresh_access_token().result().has_value());
  EXPECT_TRUE(user.is_logged_in());
}

// One process began before there was a key; another one bound the session of the same store.
TEST_F(SdkWithDaemon, SessionBoundByAnotherProcessIsRefreshed) {
  const TestApp made = admin_.create_app("bound-elsewhere", 2);
  App early = open_app(daemon_, made, store_);
  (void)early.login(Credentials::anonymous()).get();
  App late = open_app(daemon_, made, store_, true);
  const User user = late.login(Credentials::anonymous(false)).get();
  ASSERT_TRUE(user.is_bound_to_device());
  ASSERT_TRUE(comes_true([&] { return early.get_current_user()->identifier() == user.identifier(); }));
  const auto refreshed = early.get_current_user()->refresh_access_token().result();
  EXPECT_TRUE(refreshed) << refreshed.error().message;
}

TEST_F(SdkWithDaemon, WithoutItsDeviceKeyASessionWaitsAndCanBeLoggedOut) {
  const TestApp made = admin_.create_app("lost-key", 2);
  {
    App app = open_app(daemon_, made, store_, true);
    (void)app.login(Credentials::anonymous()).get();
  }
  std::filesystem::path key;
  for (const auto& entry : std::filesystem::directory_iterator(store_.path())) {
    if (entry.path().extension() == ".device-key") key = entry.path();
  }
  ASSERT_FALSE(key.empty());
  std::ofstream(key, std::ios::binary | std::ios::app) << "damage";
  for (const bool missing : {false, true}) {
    if (missing) std::filesystem::rename(key, key.string() + ".away");
    App app = open_app(daemon_, made, store_, true);
    const User user = app.get_current_user().value();
    EXPECT_EQ(user.check_device_key().error().code, ErrorCode::DeviceKeyUnavailable);
    const auto refused = user.refresh_access_token().result();
    EXPECT_EQ(refused.error().code, ErrorCode::DeviceKeyUnavailable);
    EXPECT_EQ(refused.error().remedy, Remedy::log_in_again);
    EXPECT_TRUE(user.is_logged_in());
    EXPECT_EQ(app.login(Credentials::anonymous(false)).result().error().code,
              ErrorCode::DeviceKeyUnavailable);
    EXPECT_FALSE(missing && std::filesystem::exists(key)) << "a new key was made";
    if (!missing) continue;
    EXPECT_TRUE(user.log_out().result());
    EXPECT_TRUE(app.login(Credentials::anonymous(false)).get().is_bound_to_device());
  }
}

// B-06: one callback, at most one refresh after the verdict, no loop.
TEST_F(SdkWithDaemon, RevokedUserIsToldOnceAndAsksNoMore) {
  const TestApp made = admin_.create_app("revoked");
  App app = open_app(daemon_, made, store_);
  const User user = app.login(Credentials::anonymous()).get();
  std::atomic<int> told = 0;
  const Subscription subscription = user.subscribe([&](const UserEvent& event) {
    if (event.kind == UserEvent::Kind::session_ended && event.reason == EndReason::revoked) ++told;
  });
  admin_.send("PUT", made.path + "/users/" + user.identifier() + "/logout");
  const int before = daemon_.count_log_lines(kRefreshLine);
  int calls = 0;
  const auto arguments = ::testing::internal::GetArgvs();
  const bool full = std::find(arguments.begin(), arguments.end(), "--full") != arguments.end();
  const auto until = std::chrono::steady_clock::now() + seconds{full ? 60 : 3};
  while (std::chrono::steady_clock::now() < until) {
    const auto response = user.request({.url = kProfile}).result();
    EXPECT_TRUE(!response || response->status == 401);
    ++calls;
  }
  EXPECT_GT(calls, 100);
  EXPECT_EQ(told, 1);
  EXPECT_LE(daemon_.count_log_lines(kRefreshLine) - before, 1);
  EXPECT_FALSE(user.is_logged_in());
  EXPECT_EQ(user.end_reason(), EndReason::revoked);
}

// B-50: no success starts after the answer that ended the session.
TEST_F(SdkWithDaemon, EndedSessionIsRefusedAtOnce) {
  const TestApp made = admin_.create_app("ended");
  const std::vector<std::pair<const char*, std::string>> endings = {
      {"PUT", "/logout"}, {"PUT", "/disable"}, {"DELETE", ""}};
  for (const auto& [method, suffix] : endings) {
    TemporaryFolder store;
    App app = open_app(daemon_, made, store);
    const User user = app.login(Credentials::anonymous(false)).get();
    const std::string token = user.access_token();
    ASSERT_EQ(daemon_.status_of_get(kProfile, token), 200);
    std::atomic<bool> ended = false;
    std::atomic<bool> stop = false;
    std::atomic<int> late_successes = 0;
    std::atomic<int> attempts = 0;
    std::vector<std::jthread> hammers;
    for (int i = 0; i < 4; ++i) {
      hammers.emplace_back([&] {
        while (!stop) {
          const bool began_after = ended;
          const int status = daemon_.status_of_get(kProfile, token);
          if (began_after && status != 401) ++late_successes;
          ++attempts;
        }
      });
    }
    EXPECT_TRUE(comes_true([&] { return attempts > 50; }));
    admin_.send(method, made.path + "/users/" + user.identifier() + suffix);
    ended = true;
    const int seen = attempts;
    EXPECT_TRUE(comes_true([&] { return attempts > seen + 200; }));
    stop = true;
    hammers.clear();
    EXPECT_EQ(late_successes, 0) << method << suffix;
  }
}

// B-25, and the promise: a dead server ends no session.
TEST_F(SdkWithDaemon, SessionOutlivesServerCrashAndOfflineStart) {
  const TestApp made = admin_.create_app("crash", 3);
  std::string user_id;
  {
    App app = open_app(daemon_, made, store_);
    user_id = app.login(Credentials::anonymous()).get().identifier();
  }
  ASSERT_EQ(daemon_.stop(SIGKILL), -SIGKILL);
  App app = open_app(daemon_, made, store_);
  const auto user = app.get_current_user();
  ASSERT_TRUE(user.has_value());
  EXPECT_EQ(user->identifier(), user_id);
  EXPECT_TRUE(user->valid_access_token(seconds{0}).result().has_value());
  let_pass(seconds{4});
  const auto refused = user->valid_access_token(seconds{0}).result();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remedy, Remedy::retry_later);
  EXPECT_TRUE(user->is_logged_in());
  daemon_.start();
  EXPECT_TRUE(
      comes_true([&] { return user->valid_access_token(seconds{0}).result().has_value(); }, seconds{30}));
  EXPECT_EQ(user->request({.url = kProfile}).get().status, 200);
}

// An outbox entry reaches the server although the log-out happened offline.
TEST_F(SdkWithDaemon, LogOutWhileOfflineReachesTheServerLater) {
  const TestApp made = admin_.create_app("offline-logout");
  App app = open_app(daemon_, made, store_);
  const User user = app.login(Credentials::anonymous(false)).get();
  const std::string token = user.access_token();
  const User other = app.login(Credentials::anonymous(false)).get();
  ASSERT_EQ(daemon_.stop(SIGTERM), 0);
  user.log_out().get();
  EXPECT_FALSE(user.is_logged_in());
  EXPECT_EQ(user.access_token(), "");
  daemon_.start();
  EXPECT_TRUE(comes_true(
      [&] {
        return daemon_.count_log_lines({"DELETE", "/auth/session"}) > 0;
      },
      seconds{30}));
  EXPECT_EQ(other.request({.url = kProfile}).get().status, 200);
}

TEST_F(SdkWithDaemon, SessionsAreListedAndEndedOneByOne) {
  const TestApp made = admin_.create_app("sessions");
  TemporaryFolder second_store;
  App first = open_app(daemon_, made, store_);
  App second = open_app(daemon_, made, second_store);
  first.register_user("ada@example.com", "secret-password").get();
  const User here = first.login(Credentials::username_password("ada@example.com", "secret-password")).get();
  const User there = second.login(Credentials::username_password("ada@example.com", "secret-password")).get();
  ASSERT_EQ(here.identifier(), there.identifier());
  const auto sessions = here.sessions().get();
  ASSERT_EQ(sessions.size(), 2U);
  EXPECT_EQ(sessions[0].current + sessions[1].current, 1);
  here.revoke_other_sessions().get();
  EXPECT_EQ(here.sessions().get().size(), 1U);
  const auto ended = there.refresh_access_token().result();
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().reason, EndReason::revoked);
  EXPECT_FALSE(there.is_logged_in());
  EXPECT_TRUE(here.is_logged_in());
}

TEST_F(SdkWithDaemon, ApiKeysAndLinkWorkThroughTheSdk) {
  const TestApp made = admin_.create_app("keys");
  App app = open_app(daemon_, made, store_);
  User user = app.login(Credentials::anonymous(false)).get();
  app.register_user("key@example.com", "secret-password").get();
  user.link(Credentials::username_password("key@example.com", "secret-password")).get();
  ASSERT_EQ(user.identities().size(), 2U);
  EXPECT_EQ(user.identities()[1].provider_type, "local-userpass");
  EXPECT_NE(user.profile().find("key@example.com"), std::string::npos);
}

TEST_F(SdkWithDaemon, DrainsWithinTenSecondsAndExitsWell) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(daemon_.stop(SIGTERM), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds{10});
}

}  // namespace
}  // namespace keyturn::end_to_end

// SPDX-License-Identifier: Apache-2.0
// The public API on its real machine: loop, libcurl, SQLite, callback thread, against the scripted server.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <coroutine>
#include <filesystem>
#include <future>
#include <latch>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

#include "core/crypto/crypto.hpp"
#include "core/testing/fake_clock.hpp"
#include "sdk/app/app_core.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"
#include "sdk/transport/curl_loop.hpp"

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::FakeClock;
using testing::ScriptedServer;

/// A coroutine that nobody awaits.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

class AppTest : public ::testing::Test {
 protected:
  AppTest() { server.add_user("ada@example.com", "correct horse"); }
  ~AppTest() override { std::filesystem::remove_all(directory); }
  [[nodiscard]] App::configuration config() const {
    App::configuration out;
    out.app_id = "app";
    out.base_url = server.base_url() + "/";
    out.store = TokenStoreConfiguration::in_directory(directory,
                                                      TokenStoreKey::supplied(Secret(std::string(64, 'k'))));
    return out;
  }
  static User log_in(App& app) {
    return app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
  }

  ScriptedServer server;
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("keyturn-app-" + crypto::hex_encode(crypto::random_bytes(8)));
};

TEST_F(AppTest, LogsInKeepsAndLogsOut) {
  std::string identifier;
  {
    App app(config());
    EXPECT_FALSE(app.get_current_user());
    User user = log_in(app);
    identifier = user.identifier();
    EXPECT_TRUE(user.is_logged_in());
    EXPECT_EQ(app.get_current_user(), user);
    EXPECT_EQ(user.valid_access_token().get(), user.access_token());
    EXPECT_FALSE(user.refresh_token().empty());
    EXPECT_EQ(user.identities().size(), 1U);
    const std::string before = user.access_token();
    user.refresh_access_token().get();
    EXPECT_NE(user.access_token(), before);
  }
  const auto requests = server.requests().size();
  App app(config());
  ASSERT_TRUE(app.get_current_user());
  EXPECT_EQ(app.get_current_user()->identifier(), identifier);
  EXPECT_EQ(server.requests().size(), requests) << "to open an app does no network I/O";
  User user = *app.get_current_user();
  user.log_out().get();
  EXPECT_FALSE(user.is_logged_in());
  EXPECT_EQ(user.access_token(), "");
  EXPECT_EQ(user.refresh_token(), "");
  EXPECT_FALSE(app.get_current_user());
  EXPECT_EQ(user.valid_access_token().result().error().remedy, Remedy::log_in_again);
}

TEST_F(AppTest, AShortLivedProgramStillTellsTheServerOfItsLogOut) {
  {
    App app(config());
    log_in(app).log_out().get();
  }
  EXPECT_EQ(server.count("DELETE", "/api/client/v2.0/auth/session"), 1);
}

TEST_F(AppTest, ALogOutIsDoneAlthoughTheAppIsClosedAtOnce) {
  for (int round = 1; round <= 5; ++round) {
    {
      App app(config());
      const auto unread = log_in(app).log_out();
    }
    EXPECT_EQ(server.count("DELETE", "/api/client/v2.0/auth/session"), round);
    EXPECT_FALSE(App(config()).get_current_user());
  }
}

// What another process does is seen without asking, and without a call to wake up for in between.
TEST_F(AppTest, ChangesOfAnotherProcessAreSeenWithinASecond) {
  App one(config());
  App other(config());
  std::promise<void> in;
  std::promise<void> out;
  const Subscription subscription = other.subscribe([&](const UserEvent& event) {
    if (event.kind == UserEvent::Kind::logged_in) in.set_value();
    if (event.kind == UserEvent::Kind::logged_out) out.set_value();
  });
  User user = log_in(one);
  ASSERT_EQ(in.get_future().wait_for(1s), std::future_status::ready);
  EXPECT_EQ(other.get_current_user()->identifier(), user.identifier());
  user.log_out().get();
  ASSERT_EQ(out.get_future().wait_for(1s), std::future_status::ready);
  EXPECT_FALSE(other.get_current_user());
}

TEST_F(AppTest, AStoreWithoutItsKeyIsNotTakenForEmpty) {
  {
    App app(config());
    log_in(app);
  }
  auto other = config();
  other.store.key = TokenStoreKey::supplied(Secret(std::string(64, 'x')));
  const auto opened = App::open(other);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::StoreKeyUnavailable);
  other.store.key = TokenStoreKey::supplied(Secret("short"));
  EXPECT_EQ(App::open(other).error().code, ErrorCode::InvalidConfiguration);
  EXPECT_TRUE(App(config()).get_current_user());
}

TEST_F(AppTest, AWrongPasswordIsAnError) {
  App app(config());
  const auto result = app.login(App::credentials::username_password("ada@example.com", "wrong")).result();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::InvalidPassword);
  EXPECT_TRUE(app.all_users().empty());
}

TEST_F(AppTest, AConfigurationThatCannotBeUsedIsRefused) {
  auto bad = config();
  bad.base_url = "auth.example.com";
  EXPECT_NE(App::open(bad).error().message.find("URL missing scheme"), std::string::npos);
  bad = config();
  bad.app_id = "";
  EXPECT_THROW(App app(bad), Error);
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(AppTest, EventsComeInOrderOnOneThreadAndMayWaitForAnswers) {
  App app(config());
  std::vector<UserEvent::Kind> seen;
  std::set<std::thread::id> threads;
  std::promise<void> logged_out;
  std::optional<User> user;
  const Subscription subscription = app.subscribe([&](const UserEvent& event) {
    seen.push_back(event.kind);
    threads.insert(std::this_thread::get_id());
    if (event.kind == UserEvent::Kind::logged_in) {
      // Waits inside a callback; the log-out may come first.
      if (const auto user_now = app.get_current_user()) (void)user_now->refresh_access_token().result();
    }
    if (event.kind == UserEvent::Kind::logged_out) logged_out.set_value();
  });
  log_in(app).log_out().get();
  ASSERT_EQ(logged_out.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(seen.front(), UserEvent::Kind::logged_in);
  EXPECT_EQ(seen.back(), UserEvent::Kind::logged_out);
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

/// `--full` of the command line: the sizes of the acceptance table instead of those of every day.
bool at_full_size() {
  const auto arguments = ::testing::internal::GetArgvs();
  return std::find(arguments.begin(), arguments.end(), "--full") != arguments.end();
}

// Row B-01: threads and coroutines meet a token that has just expired; one refresh goes over the wire. The
// clock by which tokens are judged is the test's, everything else is real.
TEST_F(AppTest, AStampedeAtExpiryCostsOneRefresh) {
  const int thread_count = at_full_size() ? 1'000 : 200;
  const int round_count = at_full_size() ? 200 : 5;
  constexpr int kCoroutines = 1'000;
  const auto clock = std::make_shared<FakeClock>();
  const auto loop = std::make_shared<sdk::CurlLoop>(system_clock());
  const auto callbacks = std::make_shared<sdk::CallbackThread>();
  sdk::AppParts parts;
  parts.session = {clock,
                   loop,
                   std::make_shared<sdk::CurlTransport>(*loop),
                   sdk::MemoryTokenStores().open(),
                   callbacks,
                   [] { return 0U; }};
  parts.stop_loop = [loop] { loop->stop(); };
  parts.stop_callbacks = [callbacks] { callbacks->close(); };
  parts.linger = [](const std::function<bool()>&) {};
  const auto core = *sdk::AppCore::open(config(), parts);
  std::promise<sdk::SessionManager::UserRef> logged_in;
  const auto credentials = App::credentials::username_password("ada@example.com", "correct horse");
  core->sessions().log_in(
      std::shared_ptr<const sdk::CredentialsData>(&credentials.data(), [](const auto*) {}),
      [&](Result<sdk::SessionManager::UserRef> user) { logged_in.set_value(*user); });
  const auto user = logged_in.get_future().get();
  for (int round = 1; round <= round_count; ++round) {
    clock->advance(1800s);
    std::barrier start(thread_count + 1);
    std::latch done(thread_count + kCoroutines);
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < thread_count; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        if (core->sessions().valid_access_token(user, 10s).result()) ++good;
        done.count_down();
      });
    }
    const auto one = [](Pending<std::string> pending, std::atomic<int>& count, std::latch& finished) -> Task {
      const auto result = co_await pending;
      if (result) ++count;
      finished.count_down();
    };
    start.arrive_and_wait();
    for (int i = 0; i < kCoroutines; ++i) one(core->sessions().valid_access_token(user, 10s), good, done);
    done.wait();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, thread_count + kCoroutines);
    EXPECT_EQ(server.refresh_count(), round);
  }
}

// Row B-07: closed and opened again in every state.
TEST_F(AppTest, ClosingDuringCallsAnswersThemAll) {
  {
    App app(config());
    (void)log_in(app);
  }
  const int times = at_full_size() ? 20'000 : 100;
  for (int i = 0; i < times; ++i) {
    std::optional<App> app(config());
    User user = *app->get_current_user();
    auto refresh = user.refresh_access_token();
    auto request = user.request({"GET", "/api/client/v2.0/auth/profile"});
    std::atomic<int> continued{0};
    user.refresh_profile().then([&](const Result<void>&) { ++continued; });
    if (i % 3 == 0) (void)refresh.is_ready();
    if (i % 3 == 1) (void)request.result();
    app.reset();
    EXPECT_TRUE(refresh.is_ready());
    EXPECT_EQ(continued, 1);
    EXPECT_EQ(user.refresh_access_token().result().error().code, ErrorCode::ClientAppDeallocated);
    EXPECT_TRUE(user.is_logged_in());
  }
}

TEST_F(AppTest, AnOfflineStartGivesTheUserAtOnce) {
  {
    App app(config());
    (void)log_in(app);
  }
  server.set_reachable(false);
  App app(config());
  ASSERT_TRUE(app.get_current_user());
  EXPECT_TRUE(app.get_current_user()->valid_access_token().result());
  EXPECT_EQ(app.get_current_user()->refresh_access_token().result().error().remedy, Remedy::retry_later);
  EXPECT_TRUE(app.get_current_user()->is_logged_in());
}

// `get()` throws, in an observer too.
TEST_F(AppTest, WhatAnObserverOrTheLogThrowsEndsNothing) {
  std::promise<void> told;
  auto noisy = config();
  noisy.log = [&](std::string_view line) {
    if (line.find("observer threw") != std::string_view::npos) told.set_value();
    throw std::runtime_error("no log");
  };
  App app(noisy);
  const Subscription subscription = app.subscribe([](const UserEvent& event) {
    if (event.kind == UserEvent::Kind::logged_in) throw Error(ErrorCode::NetworkError, "thrown by get()");
  });
  User user = log_in(app);
  EXPECT_EQ(told.get_future().wait_for(10s), std::future_status::ready);
  std::promise<void> continued;
  user.refresh_access_token().then([&](const Result<void>&) {
    continued.set_value();
    throw std::runtime_error("thrown by a continuation");
  });
  continued.get_future().wait();
  EXPECT_TRUE(user.refresh_access_token().result());
}

TEST_F(AppTest, LogOutsAreDeliveredWhenAsked) {
  App app(config());
  EXPECT_TRUE(app.deliver_log_outs().result()) << "there are none";
  User user = log_in(app);
  server.set_reachable(false);
  user.log_out().get();
  EXPECT_EQ(app.deliver_log_outs(10s).result().error().remedy, Remedy::retry_later);
  server.set_reachable(true);
  EXPECT_TRUE(app.deliver_log_outs(10s).result());
  // Earlier tries may have reached it as well, without their answers coming back.
  const int heard = server.count("DELETE", "/api/client/v2.0/auth/session");
  EXPECT_GE(heard, 1);
  EXPECT_TRUE(app.deliver_log_outs(10s).result());
  EXPECT_EQ(server.count("DELETE", "/api/client/v2.0/auth/session"), heard) << "once heard, no more";
}

TEST_F(AppTest, ARevokedSessionIsToldWithItsReason) {
  App app(config());
  User user = log_in(app);
  std::promise<UserEvent> ended;
  const Subscription subscription = user.subscribe([&](const UserEvent& event) {
    if (event.kind == UserEvent::Kind::session_ended) ended.set_value(event);
  });
  server.revoke(user.identifier());
  const auto result = user.refresh_access_token().result();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().remedy, Remedy::log_in_again);
  auto told = ended.get_future();
  ASSERT_EQ(told.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(told.get().reason, EndReason::revoked);
  EXPECT_EQ(user.end_reason(), EndReason::revoked);
}

}  // namespace
}  // namespace keyturn

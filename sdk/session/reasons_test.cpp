// SPDX-License-Identifier: Apache-2.0
// Promise 25: every end of a session has a reason that reaches the app, and every refresh a line that says
// why.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "sdk/session/testing/device.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using Kind = UserEvent::Kind;

class ReasonsTest : public ::testing::Test {
 protected:
  /// `hears` false: a process whose app subscribes to nothing.
  std::unique_ptr<Process> start(bool hears = true) {
    auto process = std::make_unique<Process>(clock, server, stores.open());
    if (!hears) process->events.reset();
    process->loop->run();
    return process;
  }
  void end_session(Process& process, const std::string& reason) {
    server.end_sessions_of("ada", reason);
    (void)process.turn(process.manager->refresh(process.manager->current()));
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
};

TEST_F(ReasonsTest, AnEndThatNobodyHeardOfIsToldAtTheNextStart) {
  for (const char* reason :
       {"revoked", "user_disabled", "user_deleted", "expired", "idle", "password_changed"}) {
    {
      auto silent = start(false);
      (void)silent->log_in(password_of("ada"));
      end_session(*silent, reason);
    }
    auto process = start();
    ASSERT_EQ(process->count(Kind::session_ended), 1) << reason;
    EXPECT_EQ(process->seen.front().reason, end_reason_from(reason));
    EXPECT_EQ(process->seen.front().user_id, "ada");
    process.reset();
    EXPECT_EQ(start()->count(Kind::session_ended), 0) << "told once, not at every start";
    EXPECT_EQ((*stores.open()->load_user("ada"))->end_reason, end_reason_from(reason)) << "the reason stays";
  }
}

TEST_F(ReasonsTest, AnEndThatWasHeardOfIsNotToldAgain) {
  {
    auto process = start();
    (void)process->log_in(password_of("ada"));
    end_session(*process, "revoked");
    EXPECT_EQ(process->count(Kind::session_ended), 1);
  }
  EXPECT_EQ(start()->count(Kind::session_ended), 0);
}

TEST_F(ReasonsTest, AnEndWaitsForAnObserverWhoWantsIt) {
  auto process = start(false);
  (void)process->log_in(password_of("ada"));
  end_session(*process, "revoked");
  int told = 0;
  const auto others = process->manager->subscribe([&](const UserEvent&) { told += 100; }, "bob");
  process->loop->run();
  const auto own = process->manager->subscribe([&](const UserEvent&) { ++told; }, "ada");
  process->loop->run();
  const auto late = process->manager->subscribe([&](const UserEvent&) { told += 10; }, "ada");
  process->loop->run();
  EXPECT_EQ(told, 1);
}

TEST_F(ReasonsTest, ALogInThatCameFirstMakesTheOldEndIdle) {
  {
    auto silent = start(false);
    (void)silent->log_in(password_of("ada"));
    end_session(*silent, "revoked");
    (void)silent->log_in(password_of("ada"));
  }
  EXPECT_EQ(start()->count(Kind::session_ended), 0);
}

// The session was ended by a log-out elsewhere, by hand at the server for instance: this app asked for
// nothing.
TEST_F(ReasonsTest, AnEndByTheServerIsOneWhateverItsReason) {
  {
    auto sibling = start();
    const auto shared = *sibling->log_in(password_of("ada"));
    auto silent = start(false);
    end_session(*silent, "logged_out");
    const auto refused = silent->token(silent->manager->all_users().front());
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidSession);
    EXPECT_EQ(refused.error().reason, EndReason::logged_out);
    clock.advance(1s);
    (void)sibling->token(shared);
    EXPECT_EQ(sibling->count(Kind::session_ended), 1) << "as in the process that got the verdict";
    EXPECT_EQ(sibling->count(Kind::logged_out), 0);
  }
  (void)start()->log_in(password_of("ada"));
  {
    auto silent = start(false);
    end_session(*silent, "logged_out");
  }
  auto late = start();
  ASSERT_EQ(late->count(Kind::session_ended), 1) << "nobody was told";
  EXPECT_EQ(late->seen.front().reason, EndReason::logged_out);
}

// Promise 25: there is always a reason, if only that none was given.
TEST_F(ReasonsTest, AnEndWithoutAReasonOrWithAnUnknownOneIsUnspecified) {
  for (const char* reason : {"", "struck by lightning"}) {
    auto process = start();
    const auto user = *process->log_in(password_of("ada"));
    end_session(*process, reason);
    ASSERT_EQ(process->count(Kind::session_ended), 1);
    EXPECT_EQ(process->seen.back().reason, EndReason::unspecified);
    EXPECT_EQ((*stores.open()->load_user("ada"))->end_reason, EndReason::unspecified);
    EXPECT_EQ(process->token(user).error().code, ErrorCode::InvalidSession);
  }
}

// The only observer leaves after the event was queued and before its turn.
TEST_F(ReasonsTest, AnEndThatItsObserverDidNotStayForIsToldToTheNext) {
  auto later = std::make_shared<LaterCallbacks>();
  auto process = std::make_unique<Process>(clock, server, stores.open(), "boot-1", 1, false, nullptr, later);
  (void)process->log_in(password_of("ada"));
  int told = 0;
  {
    const auto leaving = process->manager->subscribe([&](const UserEvent&) { ++told; });
    later->run_all();
    end_session(*process, "revoked");
  }
  const auto staying = process->manager->subscribe(
      [&](const UserEvent& event) { told += event.kind == Kind::session_ended ? 100 : 0; });
  for (int i = 0; i < 3; ++i) {
    process->loop->run();
    later->run_all();
  }
  EXPECT_EQ(told, 100);
  EXPECT_FALSE((*stores.open()->load_user("ada"))->end_untold);
}

// Who is told of the end already finds the user logged out.
TEST_F(ReasonsTest, TheEndIsToldWhenItCanBeSeen) {
  auto process = start(false);
  const auto user = *process->log_in(password_of("ada"));
  std::optional<UserState> state;
  EndReason reason = EndReason::none;
  const auto watching = process->manager->subscribe([&](const UserEvent& event) {
    if (event.kind != Kind::session_ended) return;
    state = user->state.load();
    reason = user->facts().end_reason;
  });
  end_session(*process, "revoked");
  EXPECT_EQ(state, UserState::logged_out);
  EXPECT_EQ(reason, EndReason::revoked);
}

TEST_F(ReasonsTest, ALogOutOfTheUsersOwnIsNoEndToTellLater) {
  {
    auto silent = start(false);
    (void)silent->turn(silent->manager->log_out(*silent->log_in(password_of("ada"))));
  }
  auto process = start();
  EXPECT_TRUE(process->seen.empty());
  EXPECT_EQ(process->manager->all_users().front()->facts().end_reason, EndReason::logged_out);
}

TEST_F(ReasonsTest, EachRefreshLeavesOneLineThatSaysWhyNow) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  const auto last_line = [&] { return process->log.empty() ? std::string() : process->log.back(); };
  const auto has = [&](const std::string& part) { return last_line().find(part) != std::string::npos; };
  (void)process->turn(process->manager->refresh(user));
  EXPECT_TRUE(has("why=forced outcome=\"fetched\"")) << last_line();
  clock.advance(1800s);
  (void)process->token(user);
  EXPECT_TRUE(has("why=expired outcome=\"fetched\" ms=")) << last_line();
  process->loop->advance(1700s);
  EXPECT_TRUE(has("why=ahead")) << last_line();
  server.script = [once = false](const HttpRequest& request) mutable -> std::optional<HttpResponse> {
    if (request.url.find("/own") == std::string::npos || std::exchange(once, true)) return std::nullopt;
    return refusal(401, "InvalidSession", "invalid session");
  };
  (void)process->turn(process->manager->request(user, {"GET", "/own"}));
  server.script = nullptr;
  EXPECT_TRUE(has("why=rejected")) << last_line();
  {
    auto sibling = start();
    clock.advance(1800s);
    (void)sibling->token(sibling->manager->current());
  }
  (void)process->turn(process->manager->request(user, {"GET", "/own"}));
  EXPECT_TRUE(has("outcome=\"adopted\"")) << last_line();
  clock.advance(1800s);
  server.script = [](const HttpRequest&) { return HttpResponse{503, {}, ""}; };
  (void)process->token(user);
  EXPECT_TRUE(has("outcome=\"failed for now\"")) << last_line();
  server.script = nullptr;
  clock.advance(700s);
  end_session(*process, "idle");
  EXPECT_TRUE(has("reason=idle")) << last_line();
}

TEST_F(ReasonsTest, WhatAnotherProcessDidLeavesALine) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  const auto adopted = [&](const char* what) {
    clock.advance(1s);
    (void)process->token(user);
    return std::count(process->log.begin(), process->log.end(),
                      "adopted user=ada what=\"" + std::string(what) + '"');
  };
  auto sibling = start();
  const auto shared = sibling->manager->current();
  (void)sibling->turn(sibling->manager->refresh(shared));
  EXPECT_EQ(adopted("token"), 1);
  (void)sibling->turn(sibling->manager->log_out(shared));
  EXPECT_EQ(adopted("log-out"), 1);
  (void)sibling->log_in(password_of("ada"));
  EXPECT_EQ(adopted("log-in"), 1);
  end_session(*sibling, "revoked");
  EXPECT_EQ(adopted("session ended by the server"), 1);
  (void)sibling->turn(sibling->manager->remove(shared));
  EXPECT_EQ(adopted("removal"), 1);
}

// Row B-39: what a server calls its users cannot forge a line.
TEST_F(ReasonsTest, OneEventIsOneLine) {
  server.script = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
    const std::string id = R"("user_id":"ada\nrefresh user=root\r\u0007")";
    if (request.url.find("profile") != std::string::npos)
      return json_answer(200, "{" + id + R"(,"identities":[],"data":{},"type":"normal"})");
    return json_answer(200, "{" + id + R"(,"access_token":")" + server.token("access", "s", "ada", 60s) +
                                R"(","refresh_token":")" + server.token("refresh", "s", "ada", 60s) +
                                R"(","device_id":"d"})");
  };
  auto process = start();
  const auto user = process->log_in(password_of("ada"));
  ASSERT_TRUE(user) << user.error().message;
  ASSERT_FALSE(process->log.empty());
  for (const auto& line : process->log) {
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20U) << line;
    EXPECT_EQ(line.find("root"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace keyturn::sdk::testing

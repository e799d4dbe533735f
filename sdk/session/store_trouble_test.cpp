// SPDX-License-Identifier: Apache-2.0
// A disk that is full or cannot be read, and answers that come too late: no session ends by them, and a
// log-out stays one.
#include <gtest/gtest.h>

#include "sdk/session/testing/device.hpp"
#include "sdk/session/testing/faulty_store.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using Kind = UserEvent::Kind;

class StoreTrouble : public ::testing::Test {
 protected:
  std::unique_ptr<Process> start() {
    return std::make_unique<Process>(clock, server, std::make_unique<FaultyStore>(stores.open(), disk));
  }
  /// When the access token has expired; its answer is held back.
  Pending<std::string> ask_for_a_refresh(Process& process, const SessionManager::UserRef& user) {
    clock.advance(1800s);
    process.transport->held = true;
    auto waiting = process.manager->valid_access_token(user, 0s);
    process.loop->run();
    return waiting;
  }
  [[nodiscard]] StoredUser stored(const std::string& user) const {
    return std::move(**stores.open()->load_user(user));
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
  Disk disk;
};

// Linking opened a new session, and the disk could not take it: the next refresh serves and saves it.
TEST_F(StoreTrouble, ALinkThatCouldNotBeSavedIsSavedByTheNextRefresh) {
  auto process = start();
  const auto user = *process->log_in(anonymous(true));
  const std::string old_token(stored(user->id).refresh_token.reveal());
  disk.full = true;
  (void)process->turn(process->manager->link(user, password_of("ada")));
  const std::string new_token(user->facts().refresh_token.reveal());
  ASSERT_NE(new_token, old_token);
  // A server may end the session that the link began from.
  server.sessions[ModelServer::claim(old_token, "iss")] = {user->id, false, "linked"};
  clock.advance(1800s);
  EXPECT_TRUE(process->token(user)) << "served from memory while the disk is full";
  disk.full = false;
  clock.advance(1800s);
  ASSERT_TRUE(process->token(user)) << process->log.back();
  EXPECT_EQ(stored(user->id).refresh_token.reveal(), new_token);
  process = start();
  clock.advance(1800s);
  EXPECT_TRUE(process->token(process->manager->current())) << "a lost session";
}

// The token to revoke is the one that the user had, not the older one on the disk.
TEST_F(StoreTrouble, ALogOutAfterALinkThatCouldNotBeSavedRevokesTheNewSession) {
  for (const bool full_still : {false, true}) {
    auto process = start();
    const auto user = *process->log_in(anonymous(false));
    disk.full = true;
    (void)process->turn(process->manager->link(user, password_of("ada")));
    const std::string new_token(user->facts().refresh_token.reveal());
    ASSERT_NE(stored(user->id).refresh_token.reveal(), new_token);
    disk.full = full_still;
    server.script = [&](const HttpRequest& request) -> std::optional<HttpResponse> {  // nothing gets through
      return request.method == "DELETE" ? std::optional(HttpResponse{503, {}, ""}) : std::nullopt;
    };
    (void)process->turn(process->manager->log_out(user));
    disk.full = false;
    server.script = nullptr;
    process->loop->advance(600s);
    EXPECT_FALSE(server.alive(new_token)) << full_still;
  }
}

// A verdict is about the token that was sent. While the store cannot say whether that is still the one, it
// ends nothing.
TEST_F(StoreTrouble, AVerdictDuringUnreadableStorageEndsNothing) {
  auto one = start();
  const auto user = *one->log_in(password_of("ada"));
  auto waiting = ask_for_a_refresh(*one, user);
  server.end_sessions_of("ada", "revoked");
  (void)start()->log_in(password_of("ada"));
  disk.unreadable = true;
  one->transport->finish(0);
  one->loop->run();
  ASSERT_TRUE(waiting.is_ready());
  const auto refused = waiting.result();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().remedy, Remedy::retry_later);
  EXPECT_EQ(user->state, UserState::logged_in);
  EXPECT_EQ(one->count(Kind::session_ended), 0);
  disk.unreadable = false;
  one->transport->held = false;
  clock.advance(61s);
  EXPECT_TRUE(one->token(user)) << "the session of the sibling's log-in";
}

TEST_F(StoreTrouble, AVerdictEndsTheSessionOnceTheStoreCanBeRead) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  server.end_sessions_of("ada", "revoked");
  clock.advance(1800s);
  disk.unreadable = true;
  EXPECT_FALSE(process->token(user));
  EXPECT_EQ(user->state, UserState::logged_in);
  disk.unreadable = false;
  process->loop->advance(61s);
  EXPECT_FALSE(process->token(user));
  EXPECT_EQ(user->state, UserState::logged_out);
  EXPECT_EQ(process->count(Kind::session_ended), 1);
}

// Log-out is done in memory and at the server whatever the disk says, and on the disk as soon as that can.
TEST_F(StoreTrouble, ALogOutOnAFullDiskIsOneAndReachesTheDiskLater) {
  for (const bool only_anonymous : {false, true}) {
    auto process = start();
    const auto user = *process->log_in(only_anonymous ? anonymous(false) : password_of("ada"));
    const int told = server.log_outs;
    disk.full = true;
    const auto out = process->turn(process->manager->log_out(user));
    ASSERT_FALSE(out) << "the disk still holds the tokens";
    EXPECT_EQ(out.error().code, ErrorCode::StoreUnavailable);
    EXPECT_EQ(user->state, UserState::logged_out);
    EXPECT_EQ(process->manager->current(), nullptr);
    EXPECT_TRUE(user->facts().refresh_token.empty());
    EXPECT_EQ(process->count(Kind::logged_out), 1);
    process->loop->run();
    EXPECT_EQ(server.log_outs, told + 1) << "the server was not told";
    // Changes of other processes do not bring it back.
    (void)stores.open()->set_current(user->id);
    clock.advance(1s);
    EXPECT_FALSE(process->token(user));
    EXPECT_EQ(user->state, UserState::logged_out);
    disk.full = false;
    process->loop->advance(120s);
    const auto left = stores.open()->load_user(user->id);
    if (only_anonymous) {
      EXPECT_FALSE(left->has_value());
      EXPECT_EQ(user->state, UserState::removed);
    } else {
      ASSERT_TRUE(left->has_value());
      EXPECT_FALSE((*left)->logged_in);
      EXPECT_TRUE((*left)->refresh_token.empty());
    }
    EXPECT_EQ(process->count(Kind::logged_out), 1);
    EXPECT_TRUE(stores.open()->outbox()->empty());
  }
}

TEST_F(StoreTrouble, ALogInAfterALogOutOnAFullDiskStays) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  disk.full = true;
  (void)process->turn(process->manager->log_out(user));
  disk.full = false;
  ASSERT_TRUE(process->log_in(password_of("ada")));
  process->loop->advance(600s);
  EXPECT_EQ(user->state, UserState::logged_in);
  EXPECT_TRUE(stored("ada").logged_in);
  EXPECT_TRUE(process->token(user));
}

// A verdict that the disk could not take: told once, and not forgotten when other processes write.
TEST_F(StoreTrouble, AVerdictOnAFullDiskIsToldOnceAndAsksNoMore) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  int refreshes = 0;
  server.script = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.method == "POST" && request.url.ends_with("/auth/session")) ++refreshes;
    return std::nullopt;
  };
  server.end_sessions_of("ada", "revoked");
  clock.advance(1800s);
  disk.full = true;
  EXPECT_FALSE(process->token(user));
  EXPECT_EQ(user->state, UserState::logged_out);
  for (int i = 0; i < 10; ++i) {
    (void)stores.open()->set_current("ada");
    clock.advance(1s);
    EXPECT_FALSE(process->token(user));
  }
  EXPECT_EQ(refreshes, 1);
  EXPECT_EQ(process->count(Kind::session_ended), 1);
  disk.full = false;
  process->loop->advance(120s);
  EXPECT_FALSE(stored("ada").logged_in);
  EXPECT_EQ(stored("ada").end_reason, EndReason::revoked);
}

// Row B-20: the machine slept while the answer waited in the socket. That token is known to be old.
TEST_F(StoreTrouble, ATokenThatCameBeforeALongSleepIsNotHandedOut) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  auto waiting = ask_for_a_refresh(*process, user);
  process->transport->arrive(0);
  clock.advance(8h);
  process->transport->finish(0);
  ASSERT_FALSE(waiting.is_ready());
  ASSERT_EQ(process->transport->exchanges.size(), 1U) << "the refresh is asked for again";
  process->transport->finish(0);
  const auto token = waiting.result();
  ASSERT_TRUE(token);
  EXPECT_GT(ModelServer::claims(*token).int_at("exp").value_or(0), server.now());
}

// After a shorter sleep it is good for the rest of its life, counted from the question.
TEST_F(StoreTrouble, ATokenThatCameAfterAShortSleepIsJudgedByItsQuestion) {
  auto process = start();
  const auto user = *process->log_in(password_of("ada"));
  auto waiting = ask_for_a_refresh(*process, user);
  process->transport->arrive(0);
  clock.advance(20min);
  process->transport->finish(0);
  ASSERT_TRUE(waiting.is_ready());
  const auto token = waiting.result();
  ASSERT_TRUE(token);
  clock.advance(10min);
  auto next = process->manager->valid_access_token(user, 0s);
  process->loop->run();
  EXPECT_FALSE(next.is_ready()) << "the token has expired at the server";
}

}  // namespace
}  // namespace keyturn::sdk::testing

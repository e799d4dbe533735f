// SPDX-License-Identifier: Apache-2.0
// Another process stands still in the middle of its own step of the store: what needs the store is tried
// again for two seconds, and ends as it would if the step had waited for so long.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "sdk/session/testing/device.hpp"
#include "sdk/session/testing/faulty_store.hpp"

namespace keyturn::sdk::testing {
namespace {

using namespace std::chrono_literals;
using Kind = UserEvent::Kind;

class LockedStore : public ::testing::Test {
 protected:
  LockedStore() { process = start(); }
  std::unique_ptr<Process> start() {
    return std::make_unique<Process>(clock, server, std::make_unique<FaultyStore>(stores.open(), disk));
  }
  /// Begins a log-in; its result is in `logged_in`.
  void begin_to_log_in(const std::string& user) {
    process->manager->log_in(password_of(user), [this](Result<SessionManager::UserRef> out) {
      logged_in.emplace(std::move(out));
    });
    process->loop->run();
  }
  /// Is not done while the store is locked, and is soon after.
  template <class T>
  Result<T> soon_after_release(Pending<T> pending) {
    process->loop->advance(1500ms);
    EXPECT_FALSE(pending.is_ready());
    release();
    if (!pending.is_ready()) return Error(ErrorCode::DeadlineExceeded, "no answer");
    return pending.result();
  }
  void release() {
    disk.locked = false;
    process->loop->advance(100ms);
  }
  /// While the store stays locked.
  template <class T>
  Result<T> in_the_end(Pending<T> pending) {
    process->loop->advance(1900ms);
    EXPECT_FALSE(pending.is_ready());
    process->loop->advance(200ms);
    if (!pending.is_ready()) return Error(ErrorCode::DeadlineExceeded, "no answer");
    return pending.result();
  }
  [[nodiscard]] StoredUser stored(const std::string& user) const {
    return std::move(**stores.open()->load_user(user));
  }

  keyturn::testing::FakeClock clock;
  ModelServer server{clock};
  MemoryTokenStores stores;
  Disk disk;
  std::optional<Result<SessionManager::UserRef>> logged_in;
  std::unique_ptr<Process> process;
};

TEST_F(LockedStore, ALogInIsDoneOnceItIsFree) {
  disk.locked = true;
  begin_to_log_in("ada");
  process->loop->advance(1500ms);
  EXPECT_FALSE(logged_in);
  EXPECT_EQ(process->manager->current(), nullptr) << "first on the disk, then told";
  release();
  ASSERT_TRUE(logged_in && *logged_in);
  EXPECT_TRUE(stored("ada").logged_in);
  EXPECT_EQ(process->count(Kind::logged_in), 1);
  EXPECT_EQ(server.log_outs, 0);
}

TEST_F(LockedStore, ALogInThatFindsItLockedForTooLongChangesNothing) {
  disk.locked = true;
  begin_to_log_in("ada");
  process->loop->advance(1900ms);
  EXPECT_FALSE(logged_in);
  process->loop->advance(200ms);
  ASSERT_TRUE(logged_in);
  EXPECT_EQ(logged_in->error().code, ErrorCode::StoreLocked);
  EXPECT_EQ(logged_in->error().remedy, Remedy::retry_later);
  EXPECT_EQ(server.log_outs, 1) << "the session that nobody uses";
  release();
  EXPECT_TRUE(stores.open()->load()->empty());
}

TEST_F(LockedStore, ALinkIsSavedOnceItIsFree) {
  const auto user = *process->log_in(anonymous(true));
  const std::string old_token(user->facts().refresh_token.reveal());
  disk.locked = true;
  auto linked = process->manager->link(user, password_of("ada"));
  process->loop->run();
  EXPECT_TRUE(soon_after_release(std::move(linked)));
  EXPECT_NE(stored(user->id).refresh_token.reveal(), old_token);
  EXPECT_FALSE(user->unsaved);
}

TEST_F(LockedStore, ARefreshIsSavedOnceItIsFree) {
  const auto user = *process->log_in(password_of("ada"));
  const std::string old_token(user->facts().access_token.reveal());
  clock.advance(1800s);
  disk.locked = true;
  auto token = process->manager->valid_access_token(user, 0s);
  process->loop->run();
  const auto given = soon_after_release(std::move(token));
  ASSERT_TRUE(given);
  EXPECT_NE(*given, old_token);
  EXPECT_EQ(stored("ada").access_token.reveal(), *given);
  EXPECT_EQ(server.refreshes, 1) << "the server is asked once";
  // It is as old as its answer, not as its place on the disk.
  EXPECT_LE(stored("ada").received_boot, clock.boot_now() - 1500ms);
}

TEST_F(LockedStore, ARefreshThatFindsItLockedForTooLongServesFromMemory) {
  const auto user = *process->log_in(password_of("ada"));
  clock.advance(1800s);
  disk.locked = true;
  auto token = process->manager->valid_access_token(user, 0s);
  process->loop->run();
  const auto given = in_the_end(std::move(token));
  ASSERT_TRUE(given);
  EXPECT_TRUE(user->unsaved);
  EXPECT_NE(stored("ada").access_token.reveal(), *given);
}

TEST_F(LockedStore, AVerdictIsOnTheDiskOnceItIsFree) {
  const auto user = *process->log_in(password_of("ada"));
  server.end_sessions_of("ada", "revoked");
  clock.advance(1800s);
  disk.locked = true;
  auto token = process->manager->valid_access_token(user, 0s);
  process->loop->run();
  const auto given = soon_after_release(std::move(token));
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().remedy, Remedy::log_in_again);
  EXPECT_EQ(stored("ada").end_reason, EndReason::revoked);
  EXPECT_EQ(process->count(Kind::session_ended), 1);
  EXPECT_FALSE(stored("ada").end_untold);
}

TEST_F(LockedStore, AProfileIsSavedOnceItIsFree) {
  const auto user = *process->log_in(password_of("ada"));
  disk.locked = true;
  auto read = process->manager->refresh_profile(user);
  process->loop->run();
  EXPECT_TRUE(soon_after_release(std::move(read)));
  EXPECT_EQ(process->count(Kind::profile_changed), 1);
}

// In memory it is one at once; what the call answers is what became of the disk.
TEST_F(LockedStore, ALogOutHoldsAtOnceAndIsOnTheDiskOnceItIsFree) {
  for (const bool only_anonymous : {false, true}) {
    const auto user = *process->log_in(only_anonymous ? anonymous(false) : password_of("ada"));
    const std::string token(user->facts().refresh_token.reveal());
    process->seen.clear();
    disk.locked = true;
    auto out = process->manager->log_out(user);
    process->loop->run();
    EXPECT_EQ(user->state, UserState::logged_out);
    EXPECT_TRUE(user->facts().refresh_token.empty());
    EXPECT_FALSE(server.alive(token)) << "the server is told at once";
    EXPECT_TRUE(soon_after_release(std::move(out)));
    const auto left = stores.open()->load_user(user->id);
    EXPECT_EQ(left->has_value(), !only_anonymous);
    EXPECT_TRUE(!*left || (*left)->refresh_token.empty());
    EXPECT_EQ(process->count(Kind::logged_out), 1);
    EXPECT_EQ(process->count(Kind::removed), only_anonymous ? 1 : 0);
    process->loop->advance(120s);
    EXPECT_TRUE(stores.open()->outbox()->empty());
  }
}

TEST_F(LockedStore, ALogOutHoldsAtOnceWhoeverWaits) {
  const auto user = *process->log_in(password_of("ada"));
  disk.locked = true;
  begin_to_log_in("eve");
  auto out = process->manager->log_out(user);
  process->loop->run();
  EXPECT_EQ(user->state, UserState::logged_out);
  EXPECT_TRUE(soon_after_release(std::move(out)));
  ASSERT_TRUE(logged_in && *logged_in);
  EXPECT_FALSE(stored("ada").logged_in);
  EXPECT_TRUE(stored("eve").logged_in);
}

TEST_F(LockedStore, ALogOutThatFindsItLockedForTooLongIsOwed) {
  const auto user = *process->log_in(password_of("ada"));
  disk.locked = true;
  auto out = process->manager->log_out(user);
  process->loop->run();
  EXPECT_EQ(in_the_end(std::move(out)).error().code, ErrorCode::StoreLocked);
  EXPECT_EQ(user->state, UserState::logged_out);
  disk.locked = false;
  process->loop->advance(60s);
  EXPECT_FALSE(stored("ada").logged_in);
}

TEST_F(LockedStore, ARemovalOfALoggedOutUserIsDoneOnceItIsFree) {
  const auto user = *process->log_in(password_of("ada"));
  ASSERT_TRUE(process->turn(process->manager->log_out(user)));
  disk.locked = true;
  auto removed = process->manager->remove(user);
  process->loop->run();
  EXPECT_TRUE(soon_after_release(std::move(removed)));
  EXPECT_TRUE(stores.open()->load()->empty());
}

// Whatever order the store becomes free in.
TEST_F(LockedStore, ALogInAfterALogOutStays) {
  const auto user = *process->log_in(password_of("ada"));
  disk.locked = true;
  auto out = process->manager->log_out(user);
  begin_to_log_in("ada");
  EXPECT_TRUE(soon_after_release(std::move(out)));
  ASSERT_TRUE(logged_in && *logged_in);
  process->loop->advance(120s);
  EXPECT_EQ(user->state, UserState::logged_in);
  EXPECT_TRUE(stored("ada").logged_in);
  EXPECT_TRUE(process->token(user));
}

TEST_F(LockedStore, AWaiterIsToldAtItsDeadline) {
  const auto user = *process->log_in(password_of("ada"));
  clock.advance(1800s);
  disk.locked = true;
  auto request = process->manager->request(user, {.url = "/any", .timeout = 500ms});
  process->loop->advance(499ms);
  EXPECT_FALSE(request.is_ready());
  process->loop->advance(1ms);
  ASSERT_TRUE(request.is_ready());
  EXPECT_EQ(request.result().error().code, ErrorCode::DeadlineExceeded);
}

TEST_F(LockedStore, APauseReachesTheOthersOnceItIsFree) {
  const auto user = *process->log_in(password_of("ada"));
  clock.advance(1800s);
  server.script = [](const HttpRequest&) -> std::optional<HttpResponse> {
    return HttpResponse{503, {{"Retry-After", "60"}}, ""};
  };
  disk.locked = true;
  EXPECT_FALSE(process->token(user)) << "told at once";
  EXPECT_FALSE(stored("ada").pause);
  release();
  EXPECT_TRUE(stored("ada").pause);
}

// A link may have opened a new session, whose tokens are nowhere else; closing waits longer for the store.
TEST_F(LockedStore, ClosingDoesWhatWaits) {
  const auto user = *process->log_in(anonymous(true));
  const auto ada = *process->log_in(password_of("ada"));
  const std::string old_token(user->facts().refresh_token.reveal());
  disk.locked = true;
  auto linked = process->manager->link(user, password_of("eve"));
  auto out = process->manager->log_out(ada);
  process->loop->advance(200ms);
  process->loop->stop();
  process->manager->close();
  EXPECT_NE(stored(user->id).refresh_token.reveal(), old_token);
  EXPECT_TRUE(out.result());
  EXPECT_FALSE(stored("ada").logged_in);
}

}  // namespace
}  // namespace keyturn::sdk::testing

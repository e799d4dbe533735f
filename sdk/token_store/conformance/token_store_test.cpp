// SPDX-License-Identifier: Apache-2.0
// What every TokenStore promises: behaviour, atomicity, contention. A backend adds one line at the end.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/memory/memory_token_store.hpp"
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

namespace keyturn::sdk {
namespace {

/// A place for a store; each `open` is one more handle on it.
struct Place {
  std::function<std::unique_ptr<TokenStore>()> open;
  std::function<void()> forget = [] {};
};
using MakePlace = Place (*)();

Place in_memory() {
  const auto stores = std::make_shared<MemoryTokenStores>();
  return {[stores] { return stores->open(); }};
}
Place in_sqlite() {
  const auto directory = std::filesystem::temp_directory_path() /
                         ("keyturn-store-" + crypto::hex_encode(crypto::random_bytes(8)));
  return {[directory] {
            // Patient, as those are who try a locked store again.
            const std::chrono::milliseconds wait(2'000);
            return std::move(*open_sqlite_token_store({directory,
                                                       "app",
                                                       "https://server.test",
                                                       app_supplied_key(Secret(std::string(64, 'k'))),
                                                       wait,
                                                       {},
                                                       wait}));
          },
          [directory] { std::filesystem::remove_all(directory); }};
}

StoredUser user_named(const std::string& id, const std::string& token = "access") {
  StoredUser user;
  user.user_id = id;
  user.logged_in = true;
  user.access_token = Secret(token);
  user.refresh_token = Secret("refresh-" + id);
  user.device_id = "device";
  user.provider_type = "local-userpass";
  user.profile_json = R"({"email":"a@example.com"})";
  user.identities_json = "[]";
  user.boot_id = "boot";
  user.received_boot = BootTime(std::chrono::microseconds(123));
  user.received_server_time = WallTime(std::chrono::microseconds(456));
  user.received_wall = WallTime(std::chrono::microseconds(789));
  return user;
}

class TokenStoreConformance : public ::testing::TestWithParam<MakePlace> {
 protected:
  void TearDown() override {
    store.reset();
    other.reset();
    place.forget();
  }
  Place place = GetParam()();
  std::unique_ptr<TokenStore> store = place.open();
  std::unique_ptr<TokenStore> other = place.open();
};

TEST_P(TokenStoreConformance, IsEmptyAtFirst) {
  EXPECT_TRUE(store->load()->empty());
  EXPECT_FALSE(store->current()->has_value());
  EXPECT_TRUE(store->outbox()->empty());
  EXPECT_FALSE(store->load_user("ada")->has_value());
  EXPECT_FALSE(store->load_user("")->has_value());
}

TEST_P(TokenStoreConformance, GivesBackEverythingThatWasPut) {
  const auto generation = *store->put(user_named("ada"), true);
  const auto found = *other->load_user("ada");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->logged_in);
  EXPECT_TRUE(found->access_token.equals("access"));
  EXPECT_TRUE(found->refresh_token.equals("refresh-ada"));
  EXPECT_EQ(found->device_id, "device");
  EXPECT_EQ(found->provider_type, "local-userpass");
  EXPECT_EQ(found->profile_json, R"({"email":"a@example.com"})");
  EXPECT_EQ(found->identities_json, "[]");
  EXPECT_EQ(found->generation, generation);
  EXPECT_EQ(found->boot_id, "boot");
  EXPECT_EQ(found->received_boot, BootTime(std::chrono::microseconds(123)));
  EXPECT_EQ(found->received_server_time, WallTime(std::chrono::microseconds(456)));
  EXPECT_EQ(found->received_wall, WallTime(std::chrono::microseconds(789)));
  EXPECT_EQ(*other->current(), "ada");
}

TEST_P(TokenStoreConformance, ReplacesWithinOneGenerationOnly) {
  StoredUser user = user_named("ada");
  user.generation = *store->put(user, true);
  user.access_token = Secret("second");
  EXPECT_EQ(*other->replace(user), ReplaceOutcome::replaced);
  EXPECT_TRUE((*store->load_user("ada"))->access_token.equals("second"));
  const auto renewed = *other->renew(user);
  ASSERT_TRUE(renewed);
  EXPECT_NE(*renewed, user.generation);
  EXPECT_EQ(*store->replace(user), ReplaceOutcome::generation_changed);
  EXPECT_FALSE(store->renew(user)->has_value());
  user.generation = *renewed;
  EXPECT_EQ(*store->replace(user), ReplaceOutcome::replaced);
  EXPECT_NE(*store->put(user, false), *renewed);
  EXPECT_EQ(*store->replace(user_named("nobody")), ReplaceOutcome::generation_changed);
}

// Two processes, each of which has read the user before the other wrote.
TEST_P(TokenStoreConformance, AStepTakesNothingBackThatAnotherWrote) {
  StoredUser first = user_named("ada");
  first.generation = *store->put(first, true);
  StoredUser second = first.copy();
  first.profile_json = R"({"email":"new@example.com"})";
  EXPECT_EQ(*store->update(first, UserPart::profile), ReplaceOutcome::replaced);
  second.access_token = Secret("second");
  second.received_wall = WallTime(std::chrono::microseconds(1000));
  EXPECT_EQ(*other->update(second, UserPart::tokens), ReplaceOutcome::replaced);
  first.pause = RefreshPause{"boot", BootTime(std::chrono::seconds(5)), BootTime(std::chrono::seconds(6)), 3,
                             ErrorCode::NetworkError};
  EXPECT_EQ(*store->update(first, UserPart::pause), ReplaceOutcome::replaced);
  auto both = std::move(**store->load_user("ada"));
  EXPECT_EQ(both.profile_json, first.profile_json);
  EXPECT_TRUE(both.access_token.equals("second"));
  EXPECT_EQ(both.received_wall, second.received_wall);
  EXPECT_TRUE(both.logged_in);
  EXPECT_EQ(both.pause, first.pause);
  EXPECT_EQ(*other->update(second, UserPart::tokens), ReplaceOutcome::replaced);
  EXPECT_FALSE((*store->load_user("ada"))->pause.has_value()) << "a new token ends the pause";
  ++second.generation;
  EXPECT_EQ(*other->update(second, UserPart::profile), ReplaceOutcome::generation_changed);
}

TEST_P(TokenStoreConformance, TellsWhoEndedASession) {
  for (const bool by_server : {false, true, false}) {
    (void)store->put(user_named("ada"), true);
    EXPECT_FALSE((*other->load_user("ada"))->ended_by_server);
    (void)store->clear_tokens("ada", EndReason::logged_out, !by_server, std::nullopt);
    StoredUser ended = std::move(**other->load_user("ada"));
    EXPECT_EQ(ended.ended_by_server, by_server);
    EXPECT_EQ(ended.end_untold, by_server);
    ended.end_untold = false;
    (void)other->update(ended, UserPart::end_told);
    EXPECT_FALSE((*store->load_user("ada"))->end_untold);
    EXPECT_EQ((*store->load_user("ada"))->ended_by_server, by_server);
  }
}

TEST_P(TokenStoreConformance, ClearsTokensAndQueuesTheRevocationInOneStep) {
  StoredUser user = user_named("ada");
  user.generation = *store->put(user, true);
  EXPECT_EQ(*store->clear_tokens("ada", EndReason::revoked, true, user.generation + 1),
            ReplaceOutcome::generation_changed);
  EXPECT_TRUE((*store->load_user("ada"))->logged_in);
  EXPECT_TRUE(store->outbox()->empty());
  EXPECT_EQ(*store->clear_tokens("ada", EndReason::logged_out, true, std::nullopt), ReplaceOutcome::replaced);
  const auto cleared = *other->load_user("ada");
  EXPECT_FALSE(cleared->logged_in);
  EXPECT_TRUE(cleared->access_token.empty() && cleared->refresh_token.empty());
  EXPECT_EQ(cleared->end_reason, EndReason::logged_out);
  EXPECT_EQ(cleared->profile_json, user.profile_json);
  EXPECT_EQ(*other->replace(user), ReplaceOutcome::generation_changed)
      << "a refresh brought the session back";
  const auto waiting = *other->outbox();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_TRUE(waiting[0].refresh_token.equals("refresh-ada"));
  EXPECT_TRUE(other->delivered(waiting[0].id));
  EXPECT_TRUE(other->delivered(waiting[0].id));
  EXPECT_TRUE(store->outbox()->empty());
  // Nothing to revoke the second time.
  EXPECT_EQ(*store->clear_tokens("ada", EndReason::logged_out, true, std::nullopt), ReplaceOutcome::replaced);
  EXPECT_TRUE(store->outbox()->empty());
  EXPECT_EQ(*store->clear_tokens("nobody", EndReason::revoked, true, std::nullopt),
            ReplaceOutcome::generation_changed);
}

TEST_P(TokenStoreConformance, AnEndReasonIsGoneWithTheNextLogIn) {
  for (const EndReason reason :
       {EndReason::revoked, EndReason::user_disabled, EndReason::user_deleted, EndReason::expired,
        EndReason::idle, EndReason::password_changed, EndReason::none}) {
    (void)store->put(user_named("ada"), true);
    EXPECT_EQ((*store->load_user("ada"))->end_reason, EndReason::none);
    (void)store->clear_tokens("ada", reason, false, std::nullopt);
    EXPECT_EQ((*store->load_user("ada"))->end_reason, reason);
  }
  EXPECT_TRUE(store->outbox()->empty());
}

TEST_P(TokenStoreConformance, ForgetsARemovedUser) {
  (void)store->put(user_named("ada"), true);
  EXPECT_TRUE(store->remove("ada", true));
  EXPECT_TRUE(store->load()->empty());
  EXPECT_FALSE(store->current()->has_value());
  EXPECT_EQ(store->outbox()->size(), 1U);
  EXPECT_TRUE(store->remove("ada", true));
  EXPECT_EQ(store->outbox()->size(), 1U);
}

TEST_P(TokenStoreConformance, OrdersUsersByLastUse) {
  for (const char* id : {"ada", "bob", "eve"}) (void)store->put(user_named(id), true);
  (void)store->set_current("ada");
  std::string order;
  const auto users = other->load();
  for (const auto& user : *users) order += user.user_id + " ";
  EXPECT_EQ(order, "ada eve bob ");
  EXPECT_EQ(*other->current(), "ada");
}

TEST_P(TokenStoreConformance, TellsOfEveryChange) {
  std::int64_t last = *other->version();
  const auto changed = [&] {
    const std::int64_t now = *other->version();
    return now != std::exchange(last, now);
  };
  StoredUser user = user_named("ada");
  EXPECT_FALSE(changed());
  user.generation = *store->put(user, true);
  EXPECT_TRUE(changed());
  (void)store->replace(user);
  EXPECT_TRUE(changed());
  (void)store->set_current("ada");
  EXPECT_TRUE(changed());
  (void)store->clear_tokens("ada", EndReason::logged_out, true, std::nullopt);
  EXPECT_TRUE(changed());
  (void)store->remove("ada", false);
  EXPECT_TRUE(changed());
  (void)store->load();
  EXPECT_FALSE(changed());
}

TEST_P(TokenStoreConformance, LocksOneUserForOneHolder) {
  auto held = *store->try_lock("ada");
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(*other->try_lock("ada"), nullptr);
  EXPECT_EQ(*store->try_lock("ada"), nullptr);
  EXPECT_NE(*other->try_lock("bob"), nullptr);
  held.reset();
  EXPECT_NE(*other->try_lock("ada"), nullptr);
}

TEST_P(TokenStoreConformance, OfManyReplacersWithOneGenerationNoneLosesALogOut) {
  for (int round = 0; round < 10; ++round) {
    StoredUser user = user_named("ada");
    user.generation = *store->put(user, true);
    std::atomic<int> replaced_after{0};
    std::atomic<bool> cleared{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, handle = place.open()] {
        for (int k = 0; k < 20; ++k) {
          const bool after = cleared;
          const auto outcome = handle->replace(user);
          if (after && outcome && *outcome == ReplaceOutcome::replaced) ++replaced_after;
        }
      });
    }
    (void)store->clear_tokens("ada", EndReason::logged_out, false, std::nullopt);
    cleared = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(replaced_after, 0);
    EXPECT_FALSE((*store->load_user("ada"))->logged_in);
  }
}

TEST_P(TokenStoreConformance, ManyWritersLoseNothing) {
  std::vector<std::thread> threads;
  std::atomic<int> faults{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i, handle = place.open()] {
      for (int k = 0; k < 10; ++k) {
        if (!handle->put(user_named("user-" + std::to_string(i * 10 + k)), false)) ++faults;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(faults, 0);
  EXPECT_EQ(store->load()->size(), 40U);
}

INSTANTIATE_TEST_SUITE_P(Memory, TokenStoreConformance, ::testing::Values(in_memory));
INSTANTIATE_TEST_SUITE_P(Sqlite, TokenStoreConformance, ::testing::Values(in_sqlite));

}  // namespace
}  // namespace keyturn::sdk

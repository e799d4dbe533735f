// SPDX-License-Identifier: Apache-2.0
// What becomes of a store that is damaged, has lost its end or its file, and how others hear of changes.
#include "sdk/token_store/conformance/sqlite_store_fixture.hpp"

namespace keyturn::sdk {
namespace {

TEST_F(SqliteStoreTest, ADamagedStoreComesBackFromTheGoodCopyAndIsSetAside) {
  std::vector<std::string> said;
  {
    auto store = *open(top / "store");
    (void)store->put(ada(), true);
  }
  const auto damage = [&] {
    const fs::path database = file();
    std::fstream(database, std::ios::in | std::ios::out | std::ios::binary).seekp(4096)
        << std::string(4096, 'x');
    fs::resize_file(database.string() + "-wal", 0);
  };
  damage();
  auto store = *open_sqlite_token_store({top / "store", "app", "https://server.test", keys,
                                         std::chrono::milliseconds(20'000),
                                         [&](std::string_view line) { said.emplace_back(line); }});
  EXPECT_TRUE((*store->load_user("ada"))->refresh_token.equals("CANARY-refresh-token"));
  EXPECT_EQ(*store->current(), "ada");
  EXPECT_TRUE(fs::exists(file().string() + ".damaged-1"));
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].find("CANARY"), std::string::npos);
  // Also while it is open, for this and for another handle.
  auto other = *open(top / "store");
  StoredUser user = std::move(**store->load_user("ada"));
  damage();
  const auto third = open(top / "store");
  ASSERT_TRUE(third);
  EXPECT_TRUE(fs::exists(file().string() + ".damaged-2"));
  user.access_token = Secret("after the damage");
  EXPECT_EQ(*store->replace(user), ReplaceOutcome::replaced);
  EXPECT_TRUE((*other->load_user("ada"))->access_token.equals("after the damage"));
  EXPECT_TRUE((**(*third)->load_user("ada")).access_token.equals("after the damage"));
  // And when the file has gone altogether.
  fs::remove(file());
  EXPECT_TRUE((*open(top / "store"))->load_user("ada")->has_value());
}

// A log that lost its end reads as an older store without any fault: the copy knows better.
TEST_F(SqliteStoreTest, AStoreThatLostItsLastStepsTakesThemFromTheCopy) {
  { const auto made = open(top / "store"); }
  const fs::path held = top / "held";
  fs::copy(top / "store", held);
  { (void)(*open(top / "store"))->put(ada(), true); }
  const fs::path good = copy();
  for (const auto& entry : fs::directory_iterator(held))
    fs::copy(entry.path(), top / "store" / entry.path().filename(), fs::copy_options::overwrite_existing);
  ASSERT_TRUE(fs::exists(good));
  EXPECT_TRUE((*open(top / "store"))->load_user("ada")->has_value());
  // A log-out that got lost stays one.
  { (void)(*open(top / "store"))->clear_tokens("ada", EndReason::logged_out, true, std::nullopt); }
  EXPECT_FALSE((**(*open(top / "store"))->load_user("ada")).logged_in);
}

TEST_F(SqliteStoreTest, ADamagedCopyIsSetAsideAndWrittenAnew) {
  { (void)(*open(top / "store"))->put(ada(), true); }
  std::ofstream(copy(), std::ios::trunc) << "damaged";
  { (void)(*open(top / "store"))->put(ada(), true); }
  EXPECT_EQ(fs::file_size(copy().string() + ".damaged-1"), 7U);
  fs::remove(file());
  EXPECT_TRUE((*open(top / "store"))->load_user("ada")->has_value());
}

// A cleaner of temporary files deletes what an app has open: its sessions are in no file any more, but they
// are not removed.
TEST_F(SqliteStoreTest, AnOpenStoreWhoseFilesAreDeletedWritesThemAnew) {
  for (const bool made_by_other : {false, true}) {
    fs::remove_all(top / "store");
    std::vector<std::string> said;
    auto store = *open_sqlite_token_store({top / "store", "app", "https://server.test", keys,
                                           std::chrono::milliseconds(20'000),
                                           [&](std::string_view line) { said.emplace_back(line); }});
    auto sibling = *open(top / "store");
    StoredUser eve = ada();
    eve.user_id = "eve";
    (void)store->put(eve, false);
    (void)store->clear_tokens("eve", EndReason::logged_out, true, std::nullopt);
    const std::int64_t generation = *store->put(ada(), true);
    const std::int64_t version = *store->version();
    for (const auto& entry : fs::directory_iterator(top / "store")) fs::remove_all(entry.path());
    StoredUser bob = ada();
    bob.user_id = "bob";
    if (made_by_other) {
      (void)(*open(top / "store"))->put(bob, true);
    }
    const auto kept = *store->load_user("ada");
    ASSERT_TRUE(kept.has_value());
    EXPECT_TRUE(kept->refresh_token.equals("CANARY-refresh-token"));
    EXPECT_EQ(kept->generation, generation) << "a refresh under way may be saved";
    EXPECT_GT(*store->version(), version);
    EXPECT_EQ(*sibling->load_user("bob") != std::nullopt, made_by_other);
    EXPECT_EQ(sibling->outbox()->size(), 1U) << "taken over once";
    EXPECT_EQ(sibling->load()->size(), made_by_other ? 3U : 2U);
    EXPECT_EQ(*store->current(), made_by_other ? "bob" : "ada");
    EXPECT_EQ(*(*open(top / "store"))->load_user("ada") != std::nullopt, true) << "for the next start";
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said[0].find("deleted"), std::string::npos);
    const std::int64_t next = *store->put(eve, false);
    EXPECT_GT(next, generation);
  }
}

// Log and shared memory of a store that is gone say nothing about a new one.
TEST_F(SqliteStoreTest, ALogThatWasLeftBehindDoesNoHarmToANewStore) {
  fs::path log;
  std::string left;
  {
    auto store = *open(top / "store");
    (void)store->put(ada(), true);
    log = file().string() + "-wal";
    (void)store->replace(std::move(**store->load_user("ada")));
    std::ifstream bytes(log, std::ios::binary);
    left.assign(std::istreambuf_iterator<char>(bytes), {});
    ASSERT_FALSE(left.empty());
  }
  fs::remove(copy());
  fs::remove(file());
  std::ofstream(log, std::ios::binary | std::ios::trunc) << left;
  auto made = open(top / "store");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE((*made)->load()->empty());
  ASSERT_TRUE((*made)->put(ada(), true));
  made = open(top / "store");
  ASSERT_TRUE(made);
  EXPECT_TRUE((*made)->load_user("ada")->has_value());
  bool set_aside = false;
  for (const auto& entry : fs::directory_iterator(top / "store"))
    set_aside = set_aside || entry.path().string().ends_with(".damaged-1-wal");
  EXPECT_TRUE(set_aside) << "what cannot be read is never deleted";
}

TEST_F(SqliteStoreTest, AChangeOfAnotherHandleMakesTheDescriptorReadable) {
  auto store = *open(top / "store");
  auto other = *open(top / "store");
  pollfd waited{store->changes(), POLLIN, 0};
  ASSERT_GE(waited.fd, 0);
  EXPECT_EQ(::poll(&waited, 1, 0), 0) << "quiet while nothing changes";
  (void)other->put(ada(), true);
  EXPECT_EQ(::poll(&waited, 1, 1'000), 1);
  EXPECT_TRUE(store->load_user("ada")->has_value());
  store->changes_seen();
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
  (void)store->load();
  (void)store->version();
  EXPECT_EQ(::poll(&waited, 1, 0), 0) << "reading is no change";
}

}  // namespace
}  // namespace keyturn::sdk

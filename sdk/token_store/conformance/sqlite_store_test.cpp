// SPDX-License-Identifier: Apache-2.0
// What the SQLite store promises beyond the port: who may touch the files, kinds of faults, other processes.
#include <array>
#include <csignal>
#include <future>
#include <thread>

#include <keyturn/base/clock.hpp>

#include "sdk/token_store/conformance/sqlite_store_fixture.hpp"
#include "sdk/token_store/store_folder.hpp"

namespace keyturn::sdk {
namespace {

// Row B-31, as far as modes go.
TEST_F(SqliteStoreTest, FilesAreForTheirOwnerAlone) {
  const mode_t before = ::umask(0);
  auto store = *open(top / "deep/er/store");
  (void)store->put(ada(), true);
  const auto lock = *store->try_lock("ada");
  ::umask(before);
  EXPECT_EQ(mode(top / "deep"), 0700U);
  EXPECT_EQ(mode(top / "deep/er/store"), 0700U);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(top / "deep/er/store")) {
    EXPECT_EQ(mode(entry.path()), 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 6);  // database, log, shared memory, guard, good copy, lock
}

TEST_F(SqliteStoreTest, FoldersThatOthersMayTouchAreRefused) {
  const auto refused = [&](const fs::path& folder) {
    const auto opened = open(folder);
    return !opened && opened.error().code == ErrorCode::InvalidConfiguration;
  };
  fs::create_directory(top / "real");
  fs::create_directory_symlink(top / "real", top / "link");
  EXPECT_TRUE(refused(top / "link"));
  EXPECT_TRUE(refused(top / "link/"));
  for (const mode_t bad : {0770U, 0702U, 0777U}) {
    ASSERT_EQ(::chmod((top / "real").c_str(), bad), 0);
    EXPECT_TRUE(refused(top / "real"));
    EXPECT_TRUE(refused(top / "real/below"));
    for (const auto& entry : fs::recursive_directory_iterator(top / "real"))
      EXPECT_TRUE(entry.is_directory()) << entry.path();
  }
  ASSERT_EQ(::chmod((top / "real").c_str(), 0755), 0);
  { ASSERT_TRUE(open(top / "real")); }
  fs::path database;
  for (const auto& entry : fs::directory_iterator(top / "real")) {
    if (entry.path().extension() == ".db") database = entry.path();
  }
  fs::remove(database);
  std::ofstream(top / "real/elsewhere") << "x";
  fs::create_symlink(top / "real/elsewhere", database);
  EXPECT_TRUE(refused(top / "real"));
  fs::remove(database);
  {
    const auto opened = open(top / "real");
    EXPECT_TRUE(opened);
  }
  ASSERT_EQ(::chmod(database.c_str(), 0640), 0);
  EXPECT_TRUE(refused(top / "real"));
  EXPECT_TRUE(refused(""));
}

// Promise 8: kinds of faults are kept apart, and nothing unreadable is touched.
TEST_F(SqliteStoreTest, AStoreThatCannotBeReadIsLeftAsItIs) {
  const auto reopened = [&] {
    const auto before = digests();
    const auto opened = open(top / "store");
    EXPECT_EQ(digests(), before);
    return opened ? ErrorCode::AppUnknownError : opened.error().code;
  };
  { (void)(*open(top / "store"))->put(ada(), true); }
  sql("PRAGMA user_version = 3");
  EXPECT_EQ(reopened(), ErrorCode::StoreNewerVersion);
  // The copy of a later version is no damage either, with and without its database.
  const fs::path database = file();
  const fs::path held = top / "held";
  fs::rename(copy(), held);
  std::ofstream(database.string() + ".good") << "Keyturn good copy 3\nof another form";
  fs::permissions(database.string() + ".good", fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(database, top / "held.db");
  EXPECT_EQ(reopened(), ErrorCode::StoreNewerVersion);
  fs::rename(top / "held.db", database);
  EXPECT_EQ(reopened(), ErrorCode::StoreNewerVersion);
  fs::rename(held, copy());
  // Without a good copy there is nothing to recover from.
  fs::remove(copy());
  sql("PRAGMA user_version = 1");
  EXPECT_EQ(reopened(), ErrorCode::StoreCorrupt);
  sql("PRAGMA user_version = 2; PRAGMA application_id = 7");
  EXPECT_EQ(reopened(), ErrorCode::StoreCorrupt);
  for (const std::size_t size : {0U, 1U, 8192U}) {
    std::ofstream(file(), std::ios::trunc) << std::string(size, 'x');
    EXPECT_EQ(reopened(), ErrorCode::StoreCorrupt) << size;
  }
}

// An unsealed file of an older format is neither read nor taken for nothing.
TEST_F(SqliteStoreTest, AnUnsealedStoreIsToldOfAndLeftAlone) {
  fs::create_directory(top / "store");
  fs::permissions(top / "store", fs::perms::owner_all);
  std::ofstream(top / "store/keyturn.db") << "SQLite format 3";
  const auto opened = open(top / "store");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::StoreCorrupt);
  EXPECT_NE(opened.error().message.find("keyturn.db"), std::string::npos);
  EXPECT_EQ(fs::file_size(top / "store/keyturn.db"), 15U);
}

// Rows B-32 and B-37: nothing of a user is readable without the key, and another key opens nothing.
TEST_F(SqliteStoreTest, NothingOfAUserIsReadableWithoutTheKey) {
  StoredUser user = ada();
  user.user_id = "CANARY-user-id";
  user.profile_json = R"({"email":"CANARY@example.com"})";
  user.device_id = "CANARY-device";
  {
    auto store = *open(top / "store");
    user.generation = *store->put(user, true);
    (void)store->replace(user);
    EXPECT_EQ(all_bytes().find("CANARY"), std::string::npos);
    (void)store->clear_tokens(user.user_id, EndReason::logged_out, true, std::nullopt);
    EXPECT_EQ(all_bytes().find("CANARY"), std::string::npos);
  }
  const auto before = digests();
  const auto other = open_sqlite_token_store(
      {top / "store", "app", "https://server.test", app_supplied_key(Secret(std::string(64, 'x')))});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::StoreKeyUnavailable);
  EXPECT_EQ(digests(), before);
  EXPECT_TRUE((*open(top / "store"))->load_user("CANARY-user-id")->has_value());
}

// A record in another's place, or one of an earlier time, opens with the key and is refused all the same.
TEST_F(SqliteStoreTest, ARecordOfAnotherTimeOrPlaceIsRefused) {
  for (const bool earlier : {true, false}) {
    fs::remove_all(top / "store");
    StoredUser user = ada();
    StoredUser eve = ada();
    eve.user_id = "eve";
    {
      auto store = *open(top / "store");
      user.generation = *store->put(user, true);
      (void)store->put(eve, true);
      sql("CREATE TABLE held AS SELECT * FROM record");
      user.access_token = Secret("second");
      (void)store->replace(user);
      fs::remove(copy());
      if (earlier) {
        sql("DELETE FROM record WHERE place <> 'head' AND length(place) = 16 AND stamp = (SELECT max(stamp) "
            "FROM "
            "record WHERE length(place) = 16); INSERT OR IGNORE INTO record SELECT * FROM held WHERE "
            "length(place) = "
            "16");
      } else {
        sql("UPDATE record SET sealed = (SELECT sealed FROM record r WHERE length(r.place) = 16 AND r.place "
            "<> "
            "record.place), stamp = (SELECT stamp FROM record r WHERE length(r.place) = 16 AND r.place <> "
            "record.place) WHERE length(place) = 16");
      }
      EXPECT_EQ(store->load().error().code, ErrorCode::StoreCorrupt);
    }
    EXPECT_EQ(open(top / "store").error().code, ErrorCode::StoreCorrupt);
  }
}

TEST_F(SqliteStoreTest, AppsInOneFolderDoNotSeeEachOther) {
  auto one = *open(top / "store");
  auto two = *open_sqlite_token_store({top / "store", "app", "https://other.test", keys});
  (void)one->put(ada(), true);
  EXPECT_TRUE(two->load()->empty());
  EXPECT_FALSE(two->current()->has_value());
  EXPECT_NE(*two->try_lock("ada"), nullptr);
}

TEST_F(SqliteStoreTest, AHeldStoreIsToldAsLocked) {
  auto store = *open_sqlite_token_store(
      {top / "store", "app", "https://server.test", keys, std::chrono::milliseconds(20'000)});
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const BootTime began = system_clock().boot_now();
  EXPECT_EQ(store->put(ada(), true).error().code, ErrorCode::StoreLocked);
  EXPECT_LT(system_clock().boot_now() - began, std::chrono::seconds(2)) << "a thread that serves others";
  EXPECT_TRUE(store->load());
  ASSERT_EQ(sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(store->put(ada(), true));
  // The steps of an app that closes wait longer.
  ASSERT_EQ(sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  store->closing();
  std::promise<bool> put;
  auto is_put = put.get_future();
  const std::jthread thread([&] { put.set_value(store->put(ada(), true).has_value()); });
  EXPECT_EQ(is_put.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  ASSERT_EQ(sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(is_put.get());
  sqlite3_close(database);
}

TEST_F(SqliteStoreTest, AStoreThatIsBeingRecoveredIsToldAsLocked) {
  auto store = *open_sqlite_token_store(
      {top / "store", "app", "https://server.test", keys, std::chrono::milliseconds(20'000)});
  const auto folder = *StoreFolder::open(top / "store");
  auto alone = *folder.try_lock(file().filename().string() + ".guard");
  ASSERT_NE(alone, nullptr);
  const BootTime began = system_clock().boot_now();
  EXPECT_EQ(store->put(ada(), true).error().code, ErrorCode::StoreLocked);
  EXPECT_LT(system_clock().boot_now() - began, std::chrono::seconds(2));
  alone.reset();
  EXPECT_TRUE(store->put(ada(), true));
}

/// Runs the body in another process, which ends without running anything else of this one.
template <class Body>
pid_t in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::kill(::getpid(), body() ? SIGUSR1 : SIGKILL);
  return child;
}
bool went_well(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
}

TEST_F(SqliteStoreTest, TwoProcessesWriteWithoutLoss) {
  {
    const auto made = open(top / "store");
    ASSERT_TRUE(made);
  }
  const auto child = in_child([&] {
    auto store = open(top / "store");
    bool ok = store.has_value();
    for (int i = 0; ok && i < 50; ++i) {
      StoredUser user = ada();
      user.user_id = "child-" + std::to_string(i);
      ok = (*store)->put(user, false).has_value();
    }
    return ok;
  });
  {
    auto store = *open(top / "store");
    for (int i = 0; i < 50; ++i) {
      StoredUser user = ada();
      user.user_id = "parent-" + std::to_string(i);
      EXPECT_TRUE(store->put(user, false));
    }
  }
  EXPECT_TRUE(went_well(child));
  EXPECT_EQ((*open(top / "store"))->load()->size(), 100U);
}

// A child has a copy of every descriptor, and so a share in each lock.
TEST_F(SqliteStoreTest, ALockEndsWithItsHolderWhateverAChildHasACopyOf) {
  auto store = *open(top / "store");
  auto lock = *store->try_lock("ada");
  ASSERT_NE(lock, nullptr);
  const pid_t brief = in_child([&] {
    lock.reset();
    return true;
  });
  EXPECT_TRUE(went_well(brief));
  EXPECT_EQ(*store->try_lock("ada"), nullptr) << "a child's copy is not the child's to release";
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  lock.reset();
  EXPECT_NE(*store->try_lock("ada"), nullptr);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(SqliteStoreTest, ALockDiesWithItsProcess) {
  {
    const auto made = open(top / "store");
    ASSERT_TRUE(made);
  }
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = in_child([&] {
    auto store = open(top / "store");
    const auto lock = (*store)->try_lock("ada");
    const char byte = lock && *lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) return false;
    for (;;) ::pause();
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  auto store = *open(top / "store");
  EXPECT_EQ(*store->try_lock("ada"), nullptr);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_NE(*store->try_lock("ada"), nullptr);
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace keyturn::sdk

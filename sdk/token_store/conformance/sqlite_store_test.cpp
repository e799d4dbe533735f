// SPDX-License-Identifier: Apache-2.0
// What the SQLite store promises beyond the port: who may touch the files, kinds of faults, other processes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

namespace keyturn::sdk {
namespace {

namespace fs = std::filesystem;

StoredUser ada() {
  StoredUser user;
  user.user_id = "ada";
  user.logged_in = true;
  user.access_token = Secret("CANARY-access-token");
  user.refresh_token = Secret("CANARY-refresh-token");
  return user;
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(top);
    fs::permissions(top, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(top); }
  [[nodiscard]] Result<std::unique_ptr<TokenStore>> open(const fs::path& folder) const {
    return open_sqlite_token_store({folder, "app", "https://server.test", std::chrono::milliseconds(20'000)});
  }
  static mode_t mode(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  void sql(const char* text) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((top / "store/keyturn.db").c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, text, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  [[nodiscard]] std::string all_bytes() const {
    std::string out;
    for (const auto& entry : fs::directory_iterator(top / "store")) {
      std::ifstream file(entry.path(), std::ios::binary);
      out.append(std::istreambuf_iterator<char>(file), {});
    }
    return out;
  }
  const fs::path top =
      fs::temp_directory_path() / ("keyturn-sqlite-" + crypto::hex_encode(crypto::random_bytes(8)));
};

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
  EXPECT_EQ(files, 4);  // database, log, shared memory, lock
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
    EXPECT_FALSE(fs::exists(top / "real/keyturn.db"));
  }
  ASSERT_EQ(::chmod((top / "real").c_str(), 0755), 0);
  std::ofstream(top / "real/elsewhere") << "x";
  fs::create_symlink(top / "real/elsewhere", top / "real/keyturn.db");
  EXPECT_TRUE(refused(top / "real"));
  fs::remove(top / "real/keyturn.db");
  {
    const auto opened = open(top / "real");
    EXPECT_TRUE(opened);
  }
  ASSERT_EQ(::chmod((top / "real/keyturn.db").c_str(), 0640), 0);
  EXPECT_TRUE(refused(top / "real"));
  EXPECT_TRUE(refused(""));
}

// Promise 8: kinds of faults are kept apart, and nothing unreadable is touched.
TEST_F(SqliteStoreTest, AStoreThatCannotBeReadIsLeftAsItIs) {
  const auto reopened = [&] {
    const std::string before = all_bytes();
    const auto opened = open(top / "store");
    EXPECT_EQ(all_bytes(), before);
    return opened ? ErrorCode::AppUnknownError : opened.error().code;
  };
  { (void)(*open(top / "store"))->put(ada(), true); }
  sql("PRAGMA user_version = 2");
  EXPECT_EQ(reopened(), ErrorCode::StoreNewerVersion);
  sql("PRAGMA user_version = 1; PRAGMA application_id = 7");
  EXPECT_EQ(reopened(), ErrorCode::StoreCorrupt);
  std::ofstream(top / "store/keyturn.db", std::ios::trunc) << std::string(8192, 'x');
  EXPECT_EQ(reopened(), ErrorCode::StoreCorrupt);
}

// Row B-05: nothing of the tokens stays in any file once the server has heard of the log-out.
TEST_F(SqliteStoreTest, NoTokenIsLeftInTheFilesAfterLogOut) {
  auto store = *open(top / "store");
  StoredUser user = ada();
  user.generation = *store->put(user, true);
  (void)store->replace(user);
  EXPECT_NE(all_bytes().find("CANARY-refresh"), std::string::npos);
  (void)store->clear_tokens("ada", EndReason::logged_out, true, std::nullopt);
  EXPECT_EQ(all_bytes().find("CANARY-access"), std::string::npos);
  (void)store->delivered(store->outbox()->front().id);
  EXPECT_EQ(all_bytes().find("CANARY"), std::string::npos);
}

TEST_F(SqliteStoreTest, AppsInOneFolderDoNotSeeEachOther) {
  auto one = *open(top / "store");
  auto two = *open_sqlite_token_store({top / "store", "app", "https://other.test"});
  (void)one->put(ada(), true);
  EXPECT_TRUE(two->load()->empty());
  EXPECT_FALSE(two->current()->has_value());
  EXPECT_NE(*two->try_lock("ada"), nullptr);
}

TEST_F(SqliteStoreTest, AHeldStoreIsToldAsLocked) {
  auto store =
      *open_sqlite_token_store({top / "store", "app", "https://server.test", std::chrono::milliseconds(1)});
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((top / "store/keyturn.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(store->put(ada(), true).error().code, ErrorCode::StoreLocked);
  EXPECT_TRUE(store->load());
  ASSERT_EQ(sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(store->put(ada(), true));
  sqlite3_close(database);
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

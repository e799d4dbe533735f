// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

namespace keyturn::sdk {

namespace fs = std::filesystem;

inline StoredUser ada() {
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
    const std::chrono::milliseconds patient(20'000);
    return open_sqlite_token_store({folder, "app", "https://server.test", keys, patient, {}, patient});
  }
  /// The database of the store in `top`/store.
  [[nodiscard]] fs::path file() const {
    for (const auto& entry : fs::directory_iterator(top / "store")) {
      if (entry.path().extension() == ".db") return entry.path();
    }
    return {};
  }
  [[nodiscard]] fs::path copy() const { return file().string() + ".good"; }
  static mode_t mode(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  void sql(const char* text) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, text, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
  /// What is kept: not the guard, nor the shared memory, which is made anew.
  [[nodiscard]] std::map<std::string, std::string> digests() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(top / "store")) {
      const std::string name = entry.path().filename();
      if (name.ends_with("-shm") || name.ends_with(".guard")) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      if (!bytes.empty()) out[name] = crypto::hex_encode(crypto::sha256(bytes));
    }
    return out;
  }
  [[nodiscard]] std::string all_bytes() const {
    std::string out;
    for (const auto& entry : fs::directory_iterator(top / "store")) {
      std::ifstream file(entry.path(), std::ios::binary);
      out.append(std::istreambuf_iterator<char>(file), {});
    }
    return out;
  }
  const std::shared_ptr<KeySource> keys = app_supplied_key(Secret(std::string(64, 'k')));
  const fs::path top =
      fs::temp_directory_path() / ("keyturn-sqlite-" + crypto::hex_encode(crypto::random_bytes(8)));
};

}  // namespace keyturn::sdk

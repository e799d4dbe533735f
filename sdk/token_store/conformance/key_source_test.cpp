// SPDX-License-Identifier: Apache-2.0
// Row B-36: keys that are there, missing, locked, replaced; a Secret Service that is there and one that is
// not.
#include "sdk/token_store/key_source/key_source.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/crypto/crypto.hpp"
#include "sdk/token_store/sqlite/sqlite_token_store.hpp"

namespace keyturn::sdk {
namespace {

namespace fs = std::filesystem;

class KeySourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(top);
    fs::permissions(top, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(top); }
  [[nodiscard]] Result<std::unique_ptr<TokenStore>> open(std::shared_ptr<KeySource> keys) const {
    return open_sqlite_token_store({top / "store", "app", "https://server.test", std::move(keys)});
  }
  static StoredUser ada() {
    StoredUser user;
    user.user_id = "ada";
    user.logged_in = true;
    user.refresh_token = Secret("refresh");
    return user;
  }
  const fs::path top =
      fs::temp_directory_path() / ("keyturn-key-" + crypto::hex_encode(crypto::random_bytes(8)));
  const fs::path file = top / "keys/store.key";
};

ErrorCode code_of(const Result<std::unique_ptr<TokenStore>>& opened) {
  return opened ? ErrorCode::AppUnknownError : opened.error().code;
}

TEST_F(KeySourceTest, AnAppsKeyHasSixtyFourBytes) {
  for (const std::size_t size : {0U, 63U, 65U})
    EXPECT_EQ(app_supplied_key(Secret(std::string(size, 'k')))->find("x").error().code,
              ErrorCode::InvalidConfiguration);
  EXPECT_TRUE((*app_supplied_key(Secret(std::string(64, 'k')))->find("x"))->equals(std::string(64, 'k')));
}

TEST_F(KeySourceTest, AKeyFileIsMadeOnceForItsOwnerAlone) {
  EXPECT_FALSE(key_file(file)->find("x")->has_value());
  EXPECT_FALSE(fs::exists(top / "keys"));
  const Secret made = std::move(*key_file(file)->find_or_make("x"));
  EXPECT_EQ(made.size(), kStoreKeySize);
  EXPECT_TRUE(key_file(file)->find_or_make("y")->equals(made.reveal()));
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(top / "keys"), {}), 1);
  fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_EQ(key_file(file)->find("x").error().code, ErrorCode::InvalidConfiguration);
}

// The states of promise 8, as far as the key makes them.
TEST_F(KeySourceTest, AStoreWhoseKeyIsMissingOrAnotherIsNeitherEmptyNorChanged) {
  ASSERT_TRUE((*open(key_file(file)))->put(ada(), true));
  fs::rename(file, top / "keys/away");
  EXPECT_EQ(code_of(open(key_file(file))), ErrorCode::StoreKeyUnavailable);
  EXPECT_FALSE(fs::exists(file)) << "no new key is made for a store that exists";
  std::ofstream(file) << "short";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(code_of(open(key_file(file))), ErrorCode::StoreKeyUnavailable);
  std::ofstream(file) << std::string(64, 'x');
  EXPECT_EQ(code_of(open(key_file(file))), ErrorCode::StoreKeyUnavailable);
  fs::rename(top / "keys/away", file);
  EXPECT_TRUE((*open(key_file(file)))->load_user("ada")->has_value()) << "works when the key is back";
}

TEST_F(KeySourceTest, WithoutASecretServiceTheStoreSaysSoAndMakesNothing) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
    const auto opened = open(secret_service_key());
    bool well = code_of(opened) == ErrorCode::StoreKeyUnavailable;
    for (const auto& entry : fs::directory_iterator(top / "store"))
      well = well && entry.path().extension() != ".db";
    ::kill(::getpid(), well ? SIGUSR1 : SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1) << status;
}

// Run by secret_service_test.sh inside a session of its own, with a real gnome-keyring.
TEST_F(KeySourceTest, DISABLED_KeepsKeysInARealSecretService) {
  const std::string step = std::getenv("KEYTURN_STEP") != nullptr ? std::getenv("KEYTURN_STEP") : "";
  const fs::path folder = std::getenv("KEYTURN_FOLDER") != nullptr ? std::getenv("KEYTURN_FOLDER") : "";
  const auto opened =
      open_sqlite_token_store({folder / "store", "app", "https://server.test", secret_service_key()});
  if (step == "make") {
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_TRUE((*opened)->put(ada(), true));
  } else if (step == "there") {
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->load_user("ada")->has_value());
  } else {
    ASSERT_EQ(code_of(opened), ErrorCode::StoreKeyUnavailable);
    EXPECT_EQ(opened.error().message.find("locked") != std::string::npos, step == "locked")
        << opened.error().message;
  }
}

}  // namespace
}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
// What becomes of an app whose files on the device change under it.
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

#include "core/crypto/crypto.hpp"

namespace keyturn {
namespace {

namespace fs = std::filesystem;

class StoreFilesTest : public ::testing::Test {
 protected:
  StoreFilesTest() { server.add_user("ada@example.com", "correct horse"); }
  ~StoreFilesTest() override { fs::remove_all(directory); }
  [[nodiscard]] App::configuration config() const {
    App::configuration out;
    out.app_id = "app";
    out.base_url = server.base_url();
    out.store = TokenStoreConfiguration::in_directory(directory,
                                                      TokenStoreKey::supplied(Secret(std::string(64, 'k'))));
    return out;
  }
  static User log_in(App& app) {
    return app.login(App::credentials::username_password("ada@example.com", "correct horse")).get();
  }

  testing::ScriptedServer server;
  const fs::path directory =
      fs::temp_directory_path() / ("keyturn-files-" + crypto::hex_encode(crypto::random_bytes(8)));
};

TEST_F(StoreFilesTest, DeletedUnderARunningAppEndNoSession) {
  std::mutex mutex;
  int removed = 0;
  App app(config());
  User user = log_in(app);
  const Subscription subscription = app.subscribe([&](const UserEvent& event) {
    const std::scoped_lock lock(mutex);
    if (event.kind == UserEvent::Kind::removed || event.kind == UserEvent::Kind::logged_out) ++removed;
  });
  for (const auto& entry : fs::directory_iterator(directory)) fs::remove_all(entry.path());
  ASSERT_TRUE(user.refresh_access_token().result());
  EXPECT_TRUE(user.is_logged_in());
  App other(config());
  ASSERT_TRUE(other.get_current_user()) << "the session is in the new files";
  EXPECT_EQ(other.get_current_user()->access_token(), user.access_token());
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(removed, 0);
}

}  // namespace
}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
// A stored token read without an App, beside real ones.
#include <gtest/gtest.h>

#include <filesystem>

#include <keyturn/stored_token.hpp>
#include <keyturn/testing.hpp>

#include "sdk/app/testing/app_on_disk.hpp"

namespace keyturn {
namespace {

using namespace std::chrono_literals;

class StoredTokenTest : public testing::AppOnDiskTest {
 protected:
  StoredTokenTest() { server.add_user("bob@example.com", "correct horse"); }
  /// As somebody may write the address, too.
  [[nodiscard]] App::configuration config(char key = 'k') const {
    App::configuration out = AppOnDiskTest::config(key);
    out.base_url += "/";
    return out;
  }
  std::string log_in(const std::string& email) {
    App app(config());
    return app.login(App::credentials::username_password(email, "correct horse")).get().access_token();
  }
  /// The token, or what is in its place.
  static std::string given(const App::configuration& config, std::chrono::seconds min_validity = 10s) {
    const auto token = stored_access_token(config, min_validity);
    return !token ? std::string(to_string(token.error().code)) : token->value_or("nothing");
  }
};

TEST_F(StoredTokenTest, IsGivenWithoutARequest) {
  const std::string token = log_in("ada@example.com");
  const auto requests = server.requests().size();
  EXPECT_EQ(given(config()), token);
  EXPECT_EQ(given(config(), 800s), token);
  const App open(config());
  EXPECT_EQ(given(config()), token) << "beside an app of this process";
  EXPECT_EQ(server.requests().size(), requests);
}

TEST_F(StoredTokenTest, IsNotGivenWhenARefreshIsDue) {
  server.set_access_token_lifetime(1s);
  const std::string token = log_in("ada@example.com");
  std::string seen = given(config());
  EXPECT_EQ(seen, token);
  for (int i = 0; i < 1'000'000 && seen == token; ++i)
    seen = given(config());  // until most of the second is over
  EXPECT_EQ(seen, "nothing");
  EXPECT_EQ(server.refresh_count(), 0);
}

TEST_F(StoredTokenTest, IsThatOfTheCurrentUser) {
  const std::string ada = log_in("ada@example.com");
  const std::string bob = log_in("bob@example.com");
  EXPECT_EQ(given(config()), bob);
  App app(config());
  ASSERT_TRUE(app.switch_user(app.all_users()[1]));
  EXPECT_EQ(given(config()), ada);
  app.get_current_user()->log_out().get();
  EXPECT_EQ(given(config()), bob);
  app.get_current_user()->log_out().get();
  EXPECT_EQ(given(config()), "nothing");
}

TEST_F(StoredTokenTest, IsNothingWithoutAStoreAndMakesNone) {
  EXPECT_EQ(given(config()), "nothing");
  EXPECT_FALSE(std::filesystem::exists(directory));
  auto other = config();
  log_in("ada@example.com");
  other.app_id = "another";
  EXPECT_EQ(given(other), "nothing");
  other.store = TokenStoreConfiguration::in_memory();
  EXPECT_EQ(given(other), "nothing");
}

TEST_F(StoredTokenTest, TellsTheErrorsThatAnAppTells) {
  const std::string token = log_in("ada@example.com");
  EXPECT_EQ(given(config('x')), "StoreKeyUnavailable");
  auto bad = config();
  bad.store.key = TokenStoreKey::supplied(Secret("short"));
  EXPECT_EQ(given(bad), "InvalidConfiguration");
  bad = config();
  bad.base_url = "auth.example.com";
  EXPECT_EQ(given(bad), "InvalidConfiguration");
  bad = config();
  bad.app_id = "";
  EXPECT_EQ(given(bad), "InvalidConfiguration");
  std::filesystem::permissions(directory, std::filesystem::perms::all);
  EXPECT_EQ(given(config()), "InvalidConfiguration");
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  EXPECT_EQ(given(config()), token);
}

}  // namespace
}  // namespace keyturn

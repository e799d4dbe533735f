// SPDX-License-Identifier: Apache-2.0
// A program for the Atlas C++ SDK whose include has been changed, and the promises of the names behind it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <type_traits>

#include <keyturn/compat/realm.hpp>
#include <keyturn/testing.hpp>

namespace {

using keyturn::testing::RecordedRequest;
using keyturn::testing::ScriptedResponse;
using keyturn::testing::ScriptedServer;

static_assert(std::is_same_v<decltype(std::declval<realm::App&>().login(realm::App::credentials())),
                             std::future<realm::user>>);
static_assert(
    std::is_same_v<decltype(std::declval<realm::user&>().refresh_custom_user_data()), std::future<void>>);
static_assert(std::is_default_constructible_v<realm::user> && std::is_copy_assignable_v<realm::user>);
static_assert(std::is_copy_constructible_v<realm::App>);

constexpr auto kLong = std::chrono::seconds{20};

class RealmNames : public ::testing::Test {
 protected:
  RealmNames() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-compat-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    server_.add_user("ada@example.com", "secret-password");
  }
  ~RealmNames() override { std::filesystem::remove_all(folder_); }

  realm::App::configuration configuration() {
    realm::App::configuration config;
    config.app_id = "shop-abcde";
    config.base_url = server_.base_url();
    config.path = (folder_ / "store").string();
    config.metadata_encryption_key.emplace().fill('k');
    return config;
  }
  static realm::App::credentials ada() {
    return realm::App::credentials::username_password("ada@example.com", "secret-password");
  }
  // The server runs every function, whose answer is the arguments that it got.
  void echo_functions() {
    server_.set_handler([](const RecordedRequest& request) -> std::optional<ScriptedResponse> {
      if (request.path.find("/functions/call") == std::string::npos) return std::nullopt;
      const std::size_t from = request.body.find('[');
      return ScriptedResponse{.body = request.body.substr(from, request.body.rfind(']') + 1 - from)};
    });
  }

  std::filesystem::path folder_;
  ScriptedServer server_;
};

TEST_F(RealmNames, ProgramLogsInGetsItsTokenAndLogsOut) {
  auto app_config = realm::App::configuration();
  app_config.app_id = "shop-abcde";
  app_config.base_url = server_.base_url();
  app_config.path = (folder_ / "store").string();
  app_config.metadata_encryption_key = configuration().metadata_encryption_key;
  auto app = realm::App(app_config);

  app.register_user("grace@example.com", "another-password").get();
  auto user =
      app.login(realm::App::credentials::username_password("grace@example.com", "another-password")).get();
  ASSERT_TRUE(user.is_logged_in());
  EXPECT_EQ(user.state(), realm::user::state::logged_in);
  EXPECT_FALSE(user.identifier().empty());
  EXPECT_FALSE(user.refresh_token().empty());
  EXPECT_EQ(app.get_current_user()->identifier(), user.identifier());

  user.refresh_custom_user_data().get();
  EXPECT_EQ(server_.refresh_count(), 1);
  EXPECT_FALSE(user.access_token().empty());
  EXPECT_EQ(user.identities().at(0).provider_type, "local-userpass");

  user.log_out().get();
  EXPECT_FALSE(user.is_logged_in());
  EXPECT_EQ(user.state(), realm::user::state::logged_out);
  EXPECT_TRUE(user.access_token().empty());
  EXPECT_FALSE(app.get_current_user().has_value());
  EXPECT_EQ(app.all_users().size(), 1U);
}

TEST_F(RealmNames, RefusalIsThrownAsAppError) {
  realm::App app(configuration());
  try {
    auto user = app.login(realm::App::credentials::username_password("ada@example.com", "wrong")).get();
    FAIL() << "logged in with a wrong password";
  } catch (const realm::app_error& error) {
    EXPECT_FALSE(error.message().empty());
    EXPECT_TRUE(error.is_service_error());
    EXPECT_FALSE(error.is_client_error() || error.is_json_error() || error.is_http_error() ||
                 error.is_custom_error());
    EXPECT_EQ(error.native().code, keyturn::ErrorCode::InvalidPassword);
  }
  server_.set_reachable(false);
  try {
    app.login(ada()).get();
    FAIL() << "logged in without a server";
  } catch (const realm::app_error& error) {
    EXPECT_TRUE(error.is_custom_error());
  }
  EXPECT_THROW(app.login(realm::App::credentials()).get(), realm::app_error);
}

TEST_F(RealmNames, MissingAddressIsRefusedAtOnce) {
  realm::App::configuration config = configuration();
  config.base_url.reset();
  EXPECT_THROW(realm::App{config}, realm::app_error);
}

TEST_F(RealmNames, CallbackMayCallAndWait) {
  realm::App app(configuration());
  std::promise<std::string> fresh;
  app.login(ada(), [&](realm::user user, std::optional<realm::app_error> error) {
    EXPECT_FALSE(error.has_value());
    user.refresh_custom_user_data().get();  // must not wait for the thread that it runs on
    user.refresh_custom_user_data([&fresh, user](std::optional<realm::app_error> again) {
      EXPECT_FALSE(again.has_value());
      fresh.set_value(user.access_token());
    });
  });
  auto token = fresh.get_future();
  ASSERT_EQ(token.wait_for(kLong), std::future_status::ready);
  EXPECT_FALSE(token.get().empty());
}

// The last handle goes on the callback thread, which cannot wait for itself.
TEST_F(RealmNames, AppMayEndInsideItsCallback) {
  std::promise<void> called;
  auto app = std::make_unique<realm::App>(configuration());
  app->login(ada(), [&called, kept = std::make_shared<realm::App>(*app)](
                        realm::user, std::optional<realm::app_error>) mutable {
    kept.reset();
    called.set_value();
  });
  app.reset();
  ASSERT_EQ(called.get_future().wait_for(kLong), std::future_status::ready);
  realm::App next(configuration());
  EXPECT_TRUE(next.get_current_user().has_value());
}

TEST_F(RealmNames, UserKeepsTheConnectionOpen) {
  auto user = realm::App(configuration()).login(ada()).get();
  user.refresh_custom_user_data().get();
  EXPECT_EQ(server_.refresh_count(), 1);
}

TEST_F(RealmNames, SameConfigurationIsTheSameApp) {
  realm::App first(configuration());
  realm::App second(configuration());
  const auto user = first.login(ada()).get();
  EXPECT_EQ(second.get_current_user(), user);
  EXPECT_EQ(second.get_base_url(), server_.base_url());
  EXPECT_TRUE(first.get_cached_app("shop-abcde", server_.base_url()).has_value());
  first.clear_cached_apps();
  EXPECT_FALSE(first.get_cached_app("shop-abcde", server_.base_url()).has_value());
}

TEST_F(RealmNames, SeveralUsersAreSwitchedAndRemoved) {
  server_.add_user("grace@example.com", "another-password");
  realm::App app(configuration());
  const auto first = app.login(ada()).get();
  const auto second =
      app.login(realm::App::credentials::username_password("grace@example.com", "another-password")).get();
  EXPECT_EQ(app.get_current_user(), second);
  app.switch_user(first);
  EXPECT_EQ(app.get_current_user(), first);
  app.remove_user(second).get();
  EXPECT_EQ(second.state(), realm::user::state::removed);
  EXPECT_THROW(app.switch_user(second), realm::app_error);
}

TEST_F(RealmNames, FunctionsTakeTextOrValues) {
  echo_functions();
  realm::App app(configuration());
  const auto user = app.login(ada()).get();
  EXPECT_EQ(user.call_function("echo", R"(["a"])").get(), R"(["a"])");
  const std::vector<realm::bsoncxx> arguments{"text", 7, realm::bsoncxx::document{{"b", true}}};
  const auto answer = user.call_function("echo", arguments).get();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(*answer, realm::bsoncxx(arguments));
}

TEST_F(RealmNames, UserOfNobodyIsLoggedOut) {
  const realm::user nobody;
  EXPECT_FALSE(nobody.is_logged_in());
  EXPECT_EQ(nobody.state(), realm::user::state::logged_out);
  EXPECT_EQ(nobody.access_token(), "");
  EXPECT_FALSE(nobody.get_custom_data().has_value());
  EXPECT_THROW(static_cast<void>(nobody.refresh_custom_user_data()), realm::app_error);
}

TEST(BsonNames, ValuesKeepTheirTypes) {
  realm::bsoncxx::document document{{"name", "Ada"}, {"age", 36}};
  document["score"] = 1.5;
  document.insert("big", std::int64_t{1} << 40);
  EXPECT_EQ(document.size(), 4U);
  EXPECT_EQ(static_cast<std::string>(realm::bsoncxx(document["name"])), "Ada");
  EXPECT_EQ(realm::bsoncxx(document["age"]).get_type(), realm::bsoncxx::type::b_int32);
  EXPECT_EQ(realm::bsoncxx(document["missing"]).get_type(), realm::bsoncxx::type::b_null);
  EXPECT_EQ(
      realm::bsoncxx(document).to_json(),
      R"({"name":"Ada","age":{"$numberInt":"36"},"score":{"$numberDouble":"1.5"},"big":{"$numberLong":"1099511627776"}})");
  std::string names;
  for (const auto& [name, value] : document) names += name + ",";
  EXPECT_EQ(names, "name,age,score,big,");
  EXPECT_THROW(static_cast<void>(static_cast<std::int32_t>(realm::bsoncxx("text"))), std::runtime_error);
  const realm::bsoncxx::date epoch{std::chrono::system_clock::time_point{}};
  EXPECT_EQ(realm::bsoncxx(epoch).to_json(), R"({"$date":{"$numberLong":"0"}})");
}

}  // namespace

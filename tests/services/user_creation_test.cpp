// SPDX-License-Identifier: Apache-2.0
// The function that an app runs before a user comes into being (functions.md 5.4).
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

class UserCreation : public ServicesTest {
 protected:
  UserCreation() {
    EXPECT_TRUE(apps.set_user_creation_function(app_id, "welcome"));
    functions.functions["welcome"] = [this](const json::Array& arguments) {
      seen.push_back(arguments.at(0));
      return answer;
    };
  }
  SessionService sessions_with_functions{
      directory, session_store, user_store, clock, {&anonymous_provider, &password_provider}, &functions};
  Result<json::Value> answer = json::Value();
  std::vector<json::Value> seen;
};

TEST_F(UserCreation, IsAskedOnceWithTheUser) {
  ASSERT_TRUE(passwords.register_account(app(), "a@b.c", "secret-password"));
  EXPECT_TRUE(seen.empty()) << "an account is no user yet";
  auto tokens = sessions_with_functions.log_in(app(), "local-userpass", userpass("a@b.c"), nullptr);
  ASSERT_TRUE(tokens.has_value()) << tokens.error().message;
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].string_at("id"), tokens->user_id);
  EXPECT_EQ(seen[0].find("data")->string_at("email"), "a@b.c");
  EXPECT_EQ((*seen[0].find("identities")->as_array())[0].string_at("provider_type"), "local-userpass");
  ASSERT_TRUE(sessions_with_functions.log_in(app(), "local-userpass", userpass("a@b.c"), nullptr));
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(UserCreation, LeavesNobodyBehindWhenItThrows) {
  answer = refusal(ErrorCode::FunctionExecutionError, "members only");
  EXPECT_THAT(sessions_with_functions.log_in(app(), "anon-user", {}, nullptr),
              Refuses(ErrorCode::AuthError, 401, "members only"));
  auto all = users.list(app_id, PageRequest{"", false, 10});
  ASSERT_TRUE(all.has_value());
  EXPECT_TRUE(all->empty());
}

TEST_F(UserCreation, LetsNobodyInWhenItIsNoFunction) {
  answer = refusal(ErrorCode::NotCallable, "exports is not a function");
  EXPECT_THAT(sessions_with_functions.log_in(app(), "anon-user", {}, nullptr),
              Refuses(ErrorCode::AuthError, 401, "exports is not a function"));
}

TEST_F(UserCreation, IsNoVerdictWhenItCannotRun) {
  answer = refusal(ErrorCode::ServiceUnavailable, "no worker");
  auto refused = sessions_with_functions.log_in(app(), "anon-user", {}, nullptr);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(sessions.log_in(app(), "anon-user", {}, nullptr).error().code, ErrorCode::ServiceUnavailable)
      << "without a runtime";
}

TEST_F(UserCreation, IsAskedForUsersThatAdministratorsMake) {
  ASSERT_TRUE(passwords.create_confirmed(app(), "a@b.c", "secret-password"));
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(UserCreation, IsOverWhenTheSettingIs) {
  ASSERT_TRUE(apps.set_user_creation_function(app_id, ""));
  ASSERT_TRUE(sessions.log_in(app(), "anon-user", {}, nullptr));
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace keyturn::server::testing

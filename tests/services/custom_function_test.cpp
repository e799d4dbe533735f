// SPDX-License-Identifier: Apache-2.0
// Log-in by a function of the app (functions.md 5.1).
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

const auto kNobodyIn = Refuses(ErrorCode::AuthError, 401, "unauthorized");

class CustomFunctionTest : public ServicesTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(apps.add_provider(
        app_id, {{"type", "custom-function"}, {"config", json::Object{{"authFunctionName", "authFunc"}}}}));
  }
  void answer(json::Value value) {
    functions.functions["authFunc"] = [value](const json::Array&) { return value; };
  }
  Result<LoginTokens> try_log_in(const json::Object& body = {}) {
    return sessions.log_in(app(), "custom-function", body, nullptr);
  }
};

TEST_F(CustomFunctionTest, AnIdOrAnIdWithANameIsAnIdentity) {
  answer("userId");
  const auto tokens = try_log_in({{"secret", 1}, {"options", json::Object{}}});
  ASSERT_TRUE(tokens);
  EXPECT_EQ(functions.last_arguments, (json::Array{json::Value(json::Object{{"secret", 1}})}));
  answer(json::Object{{"id", "userId"}, {"name", "Ann"}});
  EXPECT_EQ(try_log_in()->user_id, tokens->user_id);
  EXPECT_EQ(merged_profile_data(*users.get(app_id, tokens->user_id)), (json::Object{{"name", "Ann"}}));
  answer(json::Object{{"$oid", "0123456789abcdef01234567"}});
  EXPECT_TRUE(try_log_in());
}

TEST_F(CustomFunctionTest, AnythingElseIsRefused) {
  for (const json::Value& odd : {json::Value(), json::Value(42), json::Value(""), json::Value(json::Object{}),
                                 json::Value(json::Object{{"id", 42}})}) {
    answer(odd);
    EXPECT_THAT(try_log_in(), kNobodyIn);
  }
}

TEST_F(CustomFunctionTest, OneThatIsNoFunctionLetsNobodyIn) {
  for (const ErrorCode code : {ErrorCode::FunctionSyntaxError, ErrorCode::FunctionInvalid,
                               ErrorCode::NotCallable, ErrorCode::ExecutionTimeLimitExceeded}) {
    functions.functions["authFunc"] = [code](const json::Array&) -> Result<json::Value> {
      return refusal(code, "why");
    };
    EXPECT_THAT(try_log_in(), Refuses(ErrorCode::AuthError, 401, "why")) << to_string(code);
  }
  for (const ErrorCode code :
       {ErrorCode::ServiceUnavailable, ErrorCode::TooManyRequests, ErrorCode::InternalServerError}) {
    functions.functions["authFunc"] = [code](const json::Array&) -> Result<json::Value> {
      return refusal(code, "why");
    };
    EXPECT_EQ(try_log_in().error().code, code) << "no verdict on who logs in";
  }
}

TEST_F(CustomFunctionTest, IsTheOneThatHasTheId) {
  const json::Object stored{{"name", "renamed"}};
  ASSERT_TRUE(app_store.put_document(app_id, "functions", "f1", json::Value(stored)));
  ASSERT_TRUE(apps.patch_provider(app_id, app().provider("custom-function")->id,
                                  {{"config", json::Object{{"authFunctionId", "f1"}}}}));
  functions.functions["renamed"] = [](const json::Array&) { return json::Value("by id"); };
  functions.functions["authFunc"] = [](const json::Array&) { return json::Value("by name"); };
  EXPECT_EQ(users.get(app_id, try_log_in()->user_id)->identities.front().id, "by id");
  ASSERT_TRUE(app_store.remove_document(app_id, "functions", "f1"));
  EXPECT_EQ(users.get(app_id, try_log_in()->user_id)->identities.front().id, "by name");
}

TEST_F(CustomFunctionTest, WhatItThrowsIsTold) {
  functions.functions["authFunc"] = [](const json::Array&) -> Result<json::Value> {
    return Error(ErrorCode::FunctionExecutionError, "Authentication failed");
  };
  EXPECT_THAT(try_log_in(), Refuses(ErrorCode::AuthError, 401, "Authentication failed"));
  functions.functions.clear();
  EXPECT_THAT(try_log_in(), Refuses(ErrorCode::FunctionNotFound, 404, "function not found: 'authFunc'"));
  identity::FunctionProvider without(nullptr, app_store);
  SessionService plain(directory, session_store, user_store, clock, {&without});
  EXPECT_THAT(plain.log_in(app(), "custom-function", {}, nullptr),
              Refuses(ErrorCode::FunctionNotFound, 404, "function not found: 'authFunc'"));
}

}  // namespace
}  // namespace keyturn::server::testing

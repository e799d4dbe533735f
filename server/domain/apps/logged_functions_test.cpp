// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/logged_functions.hpp"

#include <gtest/gtest.h>

#include "core/testing/fake_clock.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

class OneAnswer final : public FunctionRuntime {
 public:
  explicit OneAnswer(Result<json::Value> answer) : answer_(std::move(answer)) {}
  FunctionOutcome execute(const App& /*app*/, const FunctionCall& /*call*/) override {
    return {answer_, {"one", "two"}, std::chrono::microseconds(7)};
  }

 private:
  Result<json::Value> answer_;
};

class LoggedFunctionsTest : public ::testing::Test {
 protected:
  LoggedFunctionsTest() { app_.id = "a"; }
  AppLogEntry logged() {
    AppLog::Question question;
    question.app_id = "a";
    const auto page = log_.find(question);
    EXPECT_EQ(page.entries.size(), 1U);
    return page.entries.empty() ? AppLogEntry() : page.entries.front();
  }
  App app_;
  AppLog log_;
  testing::FakeClock clock_;
  json::Array none_;
};

TEST_F(LoggedFunctionsTest, NoteWhatRanForWhom) {
  OneAnswer next(json::Value(1));
  FunctionCall call{"f", none_, Principal{"a", "user", "s", "d", "anon-user"}};
  call.request_id = "0123";
  call.request_path = "/p";
  EXPECT_TRUE(LoggedFunctions(&next, log_, clock_).execute(app_, call).result.has_value());
  const AppLogEntry entry = logged();
  EXPECT_EQ(entry.function_name, "f");
  EXPECT_EQ(entry.user_id, "user");
  EXPECT_EQ(entry.request_id, "0123");
  EXPECT_EQ(entry.path, "/p");
  EXPECT_EQ(entry.type, "FUNCTION");
  EXPECT_EQ(entry.status, 200);
  EXPECT_EQ(entry.messages, (std::vector<std::string>{"one", "two"}));
}

TEST_F(LoggedFunctionsTest, NoteHowACallFailed) {
  OneAnswer next(refusal(ErrorCode::FunctionExecutionError, "no"));
  EXPECT_FALSE(LoggedFunctions(&next, log_, clock_).run(app_, "f", none_, std::nullopt));
  const AppLogEntry entry = logged();
  EXPECT_EQ(entry.status, 400);
  EXPECT_EQ(entry.error, "no");
  EXPECT_EQ(entry.error_code, "FunctionExecutionError");
  EXPECT_EQ(entry.request_id.size(), 24U);
}

TEST_F(LoggedFunctionsTest, AnswerWhenThereIsNothingToRunThem) {
  const auto result = LoggedFunctions(nullptr, log_, clock_).run(app_, "f", none_, std::nullopt);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(logged().status, 503);
}

}  // namespace
}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/functions/app_function_host.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/json/json.hpp"
#include "server/functions/testing/config_store.hpp"

namespace keyturn::server::functions {
namespace {

class OneUser final : public UserStore {
 public:
  Result<CreateUserOutcome> create(const User&) override { return CreateUserOutcome::created; }
  Result<std::optional<User>> find(std::string_view app_id, std::string_view user_id) override {
    if (is_down) return Error(ErrorCode::InternalServerError, "disk");
    if (app_id != user.app_id || user_id != user.id) return std::optional<User>();
    return std::optional<User>(user);
  }
  Result<std::optional<User>> find_by_identity(std::string_view, std::string_view,
                                               std::string_view) override {
    return std::optional<User>();
  }
  Result<std::vector<User>> list(std::string_view, const PageRequest&) override {
    return std::vector<User>();
  }
  Result<LinkOutcome> link(std::string_view, std::string_view, const Identity&) override {
    return LinkOutcome::no_user;
  }
  Result<void> update_identity_data(std::string_view, std::string_view, std::string_view,
                                    const json::Object&) override {
    return {};
  }
  Result<bool> set_disabled(std::string_view, std::string_view, bool, WallTime) override { return false; }
  Result<bool> remove(std::string_view, std::string_view, WallTime) override { return false; }
  Result<std::vector<std::string>> idle_anonymous(std::string_view, WallTime, int) override {
    return std::vector<std::string>();
  }

  User user;
  bool is_down = false;
};

class ScriptedData final : public DataService {
 public:
  Result<bool> has_service(const App&, std::string_view service) override {
    return service == "mongodb-atlas";
  }
  Result<Ejson> call(const App& app, const DataCaller& caller, std::string_view service,
                     std::string_view action, const EjsonDocument& arguments) override {
    if (action == "deleteOne") return Error(ErrorCode::NoMatchingRuleFound, "delete not permitted");
    return Ejson(EjsonDocument{{"app", Ejson(app.id)},
                               {"user", Ejson(caller.principal ? caller.principal->user_id : "")},
                               {"system", Ejson(caller.is_system)},
                               {"service", Ejson(service)},
                               {"arguments", Ejson(arguments)},
                               {"count", Ejson(std::int32_t{1})}});
  }
  Result<std::optional<EjsonDocument>> custom_user_data(const App&, std::string_view user_id) override {
    if (user_id != "u1") return std::optional<EjsonDocument>();
    return std::optional<EjsonDocument>(EjsonDocument{{"age", Ejson(std::int32_t{30})}});
  }
};

class AppFunctionHostTest : public ::testing::Test {
 protected:
  AppFunctionHostTest() {
    app.id = "app1";
    app.environment = "testing";
    users.user.id = "u1";
    users.user.app_id = "app1";
    users.user.identities = {{"i1", "local-userpass", "p", {{"email", "a@example.org"}}},
                             {"i2", "api-key", "k", {{"name", "n"}}}};
  }
  std::string ask(FunctionHost& asked, std::string_view method, const json::Array& arguments = {},
                  bool as_system = false, const std::string& user = "u1") {
    std::optional<Principal> caller;
    if (!user.empty()) caller = Principal{"app1", user, "s", "d", "local-userpass"};
    const auto answer = asked.call(app, caller, as_system, method, arguments);
    return answer ? json::write(*answer)
                  : std::string(to_string(answer.error().code)) + ": " + answer.error().message;
  }

  App app;
  testing::ConfigStore store;
  OneUser users;
  ScriptedData data;
  AppFunctionHost host{store, &users, &data};
};

TEST_F(AppFunctionHostTest, TellsWhoCalls) {
  EXPECT_EQ(
      ask(host, "context.get"),
      R"({"environment":{"tag":"testing","values":{}},"user":{"id":"u1","type":"normal",)"
      R"("data":{"email":"a@example.org","name":"n"},"custom_data":{"age":{"$numberInt":"30"}},)"
      R"("identities":[{"id":"i1","provider_type":"local-userpass"},{"id":"i2","provider_type":"api-key"}]}})");
  EXPECT_NE(ask(host, "context.get", {}, true).find(R"("type":"system")"), std::string::npos);
  users.user.type = UserType::server;
  EXPECT_NE(ask(host, "context.get").find(R"("type":"server")"), std::string::npos);
  EXPECT_EQ(ask(host, "context.get", {}, false, ""), R"({"environment":{"tag":"testing","values":{}}})");
  EXPECT_EQ(ask(host, "context.get", {}, false, "gone"), R"({"environment":{"tag":"testing","values":{}}})");
}

TEST_F(AppFunctionHostTest, DoesNotGuessWhoCallsWhenTheStoreIsDown) {
  users.is_down = true;
  EXPECT_EQ(ask(host, "context.get").substr(0, 18), "ServiceUnavailable");
}

TEST_F(AppFunctionHostTest, GivesTheEnvironmentsValues) {
  const auto put = [&](const char* kind, const char* id, json::Object value) {
    ASSERT_TRUE(store.put_document("app1", kind, id, std::move(value)).has_value());
  };
  put("environment_values", "1",
      {{"name", "url"},
       {"values", json::Object{{"", "none"}, {"testing", "t"}, {"production", json::Array{"p"}}}}});
  put("environment_values", "2",
      {{"name", "other"}, {"values", json::Object{{"qa", "q"}, {"no-environment", "n"}}}});
  EXPECT_NE(ask(host, "context.get").find(R"("environment":{"tag":"testing","values":{"url":"t"}})"),
            std::string::npos);
  put("settings", "environment", {{"environment", "production"}});
  EXPECT_NE(ask(host, "context.get").find(R"("environment":{"tag":"production","values":{"url":["p"]}})"),
            std::string::npos);
  put("settings", "environment", {{"environment", ""}});
  EXPECT_NE(ask(host, "context.get").find(R"("environment":{"tag":"","values":{"url":"none","other":"n"}})"),
            std::string::npos);
}

TEST_F(AppFunctionHostTest, AsksServicesAsTheCaller) {
  EXPECT_EQ(ask(host, "services.get", {json::Value("mongodb-atlas")}), "true");
  EXPECT_EQ(ask(host, "services.get", {json::Value("none")}), "false");
  EXPECT_EQ(ask(host, "services.get", {}), "false");
  auto arguments = json::parse(R"(["mongodb-atlas","find",{"query":{"a":{"$numberLong":"1"}}}])");
  EXPECT_EQ(
      ask(host, "services.call", *arguments->as_array()),
      R"({"app":"app1","user":"u1","system":false,"service":"mongodb-atlas","arguments":{"query":{"a":{"$numberLong":"1"}}},)"
      R"("count":{"$numberInt":"1"}})");
  EXPECT_NE(ask(host, "services.call", *arguments->as_array(), true).find(R"("system":true)"),
            std::string::npos);
  arguments = json::parse(R"(["mongodb-atlas","deleteOne",{}])");
  EXPECT_EQ(ask(host, "services.call", *arguments->as_array()), "NoMatchingRuleFound: delete not permitted");
  for (const char* wrong : {"[]", R"(["a"])", R"(["a","find"])", R"(["a","find",5])", R"([1,2,{}])"}) {
    arguments = json::parse(wrong);
    EXPECT_EQ(ask(host, "services.call", *arguments->as_array()).substr(0, 11), "BadRequest:") << wrong;
  }
}

TEST_F(AppFunctionHostTest, HasNoServicesWithoutADataService) {
  AppFunctionHost alone(store);
  EXPECT_EQ(ask(alone, "services.get", {json::Value("mongodb-atlas")}), "false");
  const auto arguments = json::parse(R"(["mongodb-atlas","find",{}])");
  EXPECT_EQ(ask(alone, "services.call", *arguments->as_array()),
            "ServiceNotFound: service not found: 'mongodb-atlas'");
  EXPECT_EQ(ask(alone, "context.get"), R"({"environment":{"tag":"testing","values":{}}})");
  EXPECT_EQ(ask(alone, "anything"), "BadRequest: unknown method");
}

TEST_F(AppFunctionHostTest, RevealsASecretOnlyThroughAValue) {
  ASSERT_TRUE(store.put_secret("app1", "1", "key", Secret("s3cret")).has_value());
  ASSERT_TRUE(store
                  .put_document("app1", "values", "1",
                                json::Object{{"name", "v"}, {"value", "key"}, {"from_secret", true}})
                  .has_value());
  ASSERT_TRUE(store
                  .put_document("app1", "values", "2",
                                json::Object{{"name", "w"}, {"value", "gone"}, {"from_secret", true}})
                  .has_value());
  EXPECT_EQ(ask(host, "values.get", {json::Value("v")}), R"("s3cret")");
  EXPECT_EQ(ask(host, "values.get", {json::Value("key")}), R"({"$undefined":true})");
  EXPECT_EQ(ask(host, "values.get", {json::Value("w")}), R"({"$undefined":true})");
  EXPECT_EQ(ask(host, "values.get", {json::Value(json::Array{})}), R"({"$undefined":true})");
}

}  // namespace
}  // namespace keyturn::server::functions

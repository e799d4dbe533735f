// SPDX-License-Identifier: Apache-2.0
// What administrators type.
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/testing/command_line.hpp"

namespace keyturn::cli {
namespace {

TEST_F(CommandLine, AdministratorActsOnTheAppThatIsKnown) {
  log_in();
  server_.enqueue("POST", "/api/admin/v3.0/auth/providers/local-userpass/login",
                  {.status = 200, .body = R"({"access_token":"a","refresh_token":"r"})"});
  server_.enqueue("GET", "/api/admin/v3.0/auth/profile",
                  {.status = 200, .body = R"({"roles":[{"role_name":"OWNER","group_id":"g"}]})"});
  server_.enqueue("GET", "/api/admin/v3.0/groups/g/apps",
                  {.status = 200, .body = R"([{"_id":"1","client_app_id":"x"}])"});
  server_.enqueue("GET", "/api/admin/v3.0/groups/g/apps/1/users",
                  {.status = 200, .body = R"([{"_id":"u2"}])"});
  terminal_.typed = {"admin-password"};
  ASSERT_EQ(type({"admin", "--admin-email", "admin@example.com", "users", "list", "--after", "u1"}), 0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().path, "/api/admin/v3.0/groups/g/apps/1/users?after=u1");
  EXPECT_EQ(type({"admin", "users", "list"}), 1);
  EXPECT_NE(terminal_.err.find("no administrator"), std::string::npos);
}

TEST_F(CommandLine, AdministratorSetsTokenLifetimes) {
  expect_administrator();
  server_.enqueue("PATCH", app_path_ + "/security/token_settings",
                  {.status = 200, .body = R"({"access_token_lifetime_seconds":600})"});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "token-settings", "set",
                  "--access-seconds", "600", "--idle-off"}),
            0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().body,
            R"({"access_token_lifetime_seconds":600,"refresh_token_idle_seconds":null})");
  EXPECT_EQ(server_.requests().front().body,
            R"({"username":"admin@example.com","password":"admin-password"})");
}

TEST_F(CommandLine, AdministratorsWordsAreOnePartOfAPath) {
  expect_administrator();
  const std::string wanted = app_path_ + "/users/..%2F..%2Fa%20b%3F%23";
  server_.enqueue("DELETE", wanted, {.status = 204});
  EXPECT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "users", "delete",
                  "../../a b?#"}),
            0)
      << terminal_.err;
  EXPECT_EQ(server_.count("DELETE", wanted), 1);
}

TEST_F(CommandLine, AdministratorSetsWhichPasswordsAreTaken) {
  expect_administrator();
  server_.enqueue("PATCH", app_path_ + "/security/password_settings",
                  {.status = 200, .body = R"({"minimum_length":15})"});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "password-settings", "set",
                  "--minimum-length", "15", "--refuse-common", "false"}),
            0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().body, R"({"minimum_length":15,"refuse_common_passwords":false})");
}

TEST_F(CommandLine, AdministratorRunsAFunctionAsATest) {
  expect_administrator();
  const std::string run = app_path_ + "/debug/execute_function";
  server_.enqueue("POST", run, {.status = 200, .body = R"({"result":{"$numberInt":"3"},"logs":["a"]})"});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "functions", "run", "sum",
                  "1", "[2,3]", "[x", "--as", "u/1"}),
            0)
      << terminal_.err;
  EXPECT_EQ(terminal_.out, "{\"result\":3,\"logs\":[\"a\"]}\n");
  EXPECT_EQ(server_.requests().back().path, run + "?user_id=u%2F1");
  EXPECT_EQ(server_.requests().back().body, R"({"name":"sum","arguments":[1,[2,3],"[x"]})");
}

TEST_F(CommandLine, AdministratorSwitchesTheDataApi) {
  expect_administrator();
  server_.enqueue("PATCH", app_path_ + "/data_api/config", {.status = 204});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "data-api", "enable"}), 0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().body, R"({"disabled":false})");
}

TEST_F(CommandLine, AdministratorReadsTheLog) {
  expect_administrator();
  const std::string logs = app_path_ + "/logs";
  server_.enqueue("GET", logs,
                  {.status = 200, .body = R"({"logs":[{"type":"FUNCTION"},{"type":"AUTH"}],"nextSkip":2})"});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "logs", "--limit", "2",
                  "--errors", "--of", "u1", "--type", "FUNCTION,AUTH"}),
            0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().path,
            logs + "?limit=2&errors_only=true&user_id=u1&type=FUNCTION%2CAUTH");
  EXPECT_EQ(terminal_.out, "{\"type\":\"FUNCTION\"}\n{\"type\":\"AUTH\"}\n");
}

TEST_F(CommandLine, AdministratorSendsARequestBelowTheApp) {
  expect_administrator();
  server_.enqueue("PATCH", app_path_ + "/custom_user_data", {.status = 204});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "request",
                  "/custom_user_data", "-X", "PATCH", "-d", R"({"enabled":false})"}),
            0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().body, R"({"enabled":false})");
  expect_administrator();
  server_.enqueue("PATCH", app_path_ + "/security/session_settings", {.status = 200});
  ASSERT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "request",
                  "/security/session_settings", "-X", "PATCH", "-d", R"({"require_bound_sessions":true})"}),
            0)
      << terminal_.err;
  EXPECT_EQ(server_.requests().back().body, R"({"require_bound_sessions":true})");
  expect_administrator();
  EXPECT_EQ(type({"--base-url", server_.base_url(), "admin", "--in", "shop-abcde", "request", "elsewhere"}),
            1);
}

class FunctionFolder : public CommandLine {
 protected:
  void write(const std::string& name, const std::string& text) {
    const auto file = folder_ / "functions" / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int push() {
    expect_administrator("x");
    return type({"--app", "x", "--base-url", server_.base_url(), "admin", "functions", "push",
                 (folder_ / "functions").string()});
  }
  void known(const std::string& body) { server_.enqueue("GET", kFunctions, {.status = 200, .body = body}); }
  static constexpr const char* kFunctions = "/api/admin/v3.0/groups/g/apps/1/functions";
};

TEST_F(FunctionFolder, PushCreatesUpdatesAndLeavesAloneWhatIsTheSame) {
  write("sum.js", "exports = (a, b) => a + b;");
  write("old.js", "exports = () => 2;");
  write("same.js", "exports = () => 3;");
  write("math/half.js", "exports = (a) => a / 2;");
  write("node_modules/x/index.js", "module.exports = 1;");
  write("first/source.js", "exports = () => 1;");
  write("first/config.json", R"({"id":"5f","name":"first","private":true})");
  write("config.json",
        R"([{"name":"sum","private":true,"run_as_system":true},{"name":"same","private":false}])");
  known(R"([{"_id":"o","name":"old"},{"_id":"s","name":"same"},{"_id":"z","name":"elsewhere"}])");
  server_.enqueue("GET", std::string(kFunctions) + "/o",
                  {.status = 200, .body = R"({"_id":"o","name":"old","source":"exports = () => 1;"})"});
  server_.enqueue(
      "GET", std::string(kFunctions) + "/s",
      {.status = 200,
       .body =
           R"({"_id":"s","name":"same","source":"exports = () => 3;","can_evaluate":{},"last_modified":5})"});
  for (int i = 0; i < 3; ++i) server_.enqueue("POST", kFunctions, {.status = 201, .body = R"({"_id":"n"})"});
  server_.enqueue("PUT", std::string(kFunctions) + "/o", {.status = 204});
  ASSERT_EQ(push(), 0) << terminal_.err;
  EXPECT_EQ(terminal_.out, "created first\ncreated math/half\nupdated old\nunchanged same\ncreated sum\n");
  EXPECT_EQ(server_.requests().back().body,
            R"({"name":"sum","private":true,"run_as_system":true,"source":"exports = (a, b) => a + b;"})");
}

TEST_F(FunctionFolder, OneRefusalIsToldAndTheOthersArePutInPlace) {
  write("bad.js", "exports = (");
  write("good.js", "exports = () => 1;");
  known("[]");
  server_.enqueue("POST", kFunctions,
                  {.status = 400, .body = R"({"error":"line 1","error_code":"FunctionSyntaxError"})"});
  server_.enqueue("POST", kFunctions, {.status = 201, .body = R"({"_id":"n"})"});
  EXPECT_EQ(push(), 1);
  EXPECT_EQ(terminal_.out, "failed bad: line 1 (FunctionSyntaxError)\ncreated good\n");
}

TEST_F(FunctionFolder, FolderThatDoesNotFitTogetherIsNotSent) {
  write("sum.js", "exports = 1;");
  write("config.json", R"([{"name":"summ"}])");
  EXPECT_EQ(push(), 1);
  EXPECT_NE(terminal_.err.find("there is no file summ.js"), std::string::npos) << terminal_.err;
  EXPECT_EQ(server_.count("GET", kFunctions), 0);
  for (const char* config : {"{}", "[{}]", "[", R"([{"name":"sum"},{"name":"sum"}])"}) {
    write("config.json", config);
    EXPECT_EQ(push(), 1) << config;
    EXPECT_NE(terminal_.err.find("config.json: "), std::string::npos) << config;
  }
  std::filesystem::remove_all(folder_ / "functions");
  EXPECT_EQ(push(), 1);
}

}  // namespace
}  // namespace keyturn::cli

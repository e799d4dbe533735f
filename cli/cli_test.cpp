// SPDX-License-Identifier: Apache-2.0
// The program as a user types it, against a scripted server.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>

#include <keyturn/testing.hpp>

#include "cli/front.hpp"
#include "cli/program.hpp"

namespace keyturn::cli {
namespace {

class FakeTerminal final : public Terminal {
 public:
  void print(std::string_view text) override { out += std::string(text) + "\n"; }
  void print_error(std::string_view text) override { err += std::string(text) + "\n"; }
  Secret read_secret(std::string_view) override {
    if (typed.empty()) return Secret();
    Secret secret(typed.front());
    typed.pop_front();
    return secret;
  }
  std::optional<std::string> environment(const char* name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::string out;
  std::string err;
  std::deque<std::string> typed;
  std::map<std::string, std::string> variables;
};

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    terminal_.variables["KEYTURN_STORE"] = (folder_ / "store").string();
    server_.add_user("ada@example.com", "secret-password");
  }
  ~CommandLine() override { std::filesystem::remove_all(folder_); }

  int type(std::vector<std::string> arguments) {
    terminal_.out.clear();
    terminal_.err.clear();
    return run(arguments, terminal_);
  }
  void log_in() {
    terminal_.typed = {"secret-password"};
    ASSERT_EQ(type({"login", "--email", "ada@example.com", "--app", "x", "--base-url", server_.base_url()}),
              0)
        << terminal_.err;
  }
  /// The next administrator's command logs in and finds the app "shop-abcde".
  void expect_administrator() {
    server_.enqueue("POST", "/api/admin/v3.0/auth/providers/local-userpass/login",
                    {.status = 200, .body = R"({"access_token":"a","refresh_token":"r"})"});
    server_.enqueue("GET", "/api/admin/v3.0/auth/profile",
                    {.status = 200, .body = R"({"roles":[{"role_name":"OWNER","group_id":"g"}]})"});
    server_.enqueue("GET", "/api/admin/v3.0/groups/g/apps",
                    {.status = 200, .body = R"([{"_id":"1","client_app_id":"shop-abcde"}])"});
    terminal_.variables["KEYTURN_ADMIN_EMAIL"] = "admin@example.com";
    terminal_.typed = {"admin-password"};
  }

  const std::string app_path_ = "/api/admin/v3.0/groups/g/apps/1";
  std::filesystem::path folder_;
  FakeTerminal terminal_;
  keyturn::testing::ScriptedServer server_;
};

TEST_F(CommandLine, LogInIsRememberedSoThatTokenAloneIsEnough) {
  log_in();
  EXPECT_NE(terminal_.out.find("logged in: "), std::string::npos);
  ASSERT_EQ(type({"token"}), 0) << terminal_.err;
  EXPECT_EQ(std::count(terminal_.out.begin(), terminal_.out.end(), '.'), 2) << "a JWT and nothing else";
  EXPECT_EQ(server_.refresh_count(), 0);
  EXPECT_EQ(type({"refresh"}), 0);
  EXPECT_EQ(server_.refresh_count(), 1);
}

TEST_F(CommandLine, StoredTokenIsGivenAtOnce) {
  EXPECT_FALSE(token_at_once({"token"}, terminal_)) << "no app is known";
  log_in();
  const auto asked = server_.requests().size();
  const auto token = token_at_once({"token"}, terminal_);
  ASSERT_TRUE(token);
  ASSERT_EQ(type({"token"}), 0);
  EXPECT_EQ(terminal_.out, *token + "\n");
  EXPECT_EQ(server_.requests().size(), asked);
}

TEST_F(CommandLine, WhatIsMoreThanAStoredTokenIsLeftToTheFullProgram) {
  log_in();
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"status"},
                                                {"token", "--min-validity", "1"},
                                                {"--json", "token"},
                                                {"token", ""}})
    EXPECT_FALSE(token_at_once(words, terminal_)) << words.size();
  terminal_.variables["KEYTURN_KEY_FILE"] = (folder_ / "store" / "cli.json").string();
  EXPECT_FALSE(token_at_once({"token"}, terminal_)) << "an error is told by the full program";
  EXPECT_EQ(type({"token"}), 4);
  terminal_.variables.erase("KEYTURN_KEY_FILE");
  EXPECT_TRUE(token_at_once({"token"}, terminal_));
  EXPECT_EQ(type({"logout"}), 0);
  EXPECT_FALSE(token_at_once({"token"}, terminal_));
}

TEST_F(CommandLine, JsonIsForPrograms) {
  log_in();
  ASSERT_EQ(type({"--json", "status"}), 0);
  EXPECT_NE(terminal_.out.find(R"("state":"logged in")"), std::string::npos) << terminal_.out;
  ASSERT_EQ(type({"users", "--json"}), 0);
  EXPECT_NE(terminal_.out.find(R"("current":true)"), std::string::npos);
}

TEST_F(CommandLine, WrongPasswordFailsWithTheServersCode) {
  terminal_.typed = {"wrong"};
  EXPECT_EQ(type({"login", "--email", "ada@example.com", "--app", "x", "--base-url", server_.base_url()}), 1);
  EXPECT_EQ(terminal_.err, "keyturn: unauthorized (InvalidPassword)\n");
  EXPECT_EQ(type({"token", "--app", "x", "--base-url", server_.base_url()}), 3);
}

TEST_F(CommandLine, EndedSessionSaysLogInAgainAndWhy) {
  log_in();
  const std::string user = terminal_.out.substr(11, 24);
  server_.revoke(user);
  EXPECT_EQ(type({"refresh"}), 3);
  EXPECT_NE(terminal_.err.find("reason revoked"), std::string::npos) << terminal_.err;
  EXPECT_EQ(type({"status", "--why"}), 3);
  EXPECT_NE(terminal_.out.find("the last session ended: revoked"), std::string::npos) << terminal_.out;
}

TEST_F(CommandLine, UnreachableServerSaysTryAgainLater) {
  log_in();
  server_.set_reachable(false);
  EXPECT_EQ(type({"refresh"}), 4);
  EXPECT_EQ(type({"status"}), 0);
}

TEST_F(CommandLine, RequestShowsTheBodyAndTellsOfAFailure) {
  log_in();
  EXPECT_EQ(type({"request", "/api/client/v2.0/auth/profile"}), 0);
  EXPECT_NE(terminal_.out.find("ada@example.com"), std::string::npos);
  EXPECT_EQ(type({"request", "/nowhere"}), 1);
  EXPECT_EQ(type({"request", "http://127.0.0.1:1/elsewhere"}), 1);
  EXPECT_NE(terminal_.err.find("OriginNotAllowed"), std::string::npos);
}

TEST_F(CommandLine, LogOutLeavesNoToken) {
  log_in();
  EXPECT_EQ(type({"logout"}), 0) << terminal_.err;
  EXPECT_EQ(type({"token"}), 3);
  EXPECT_EQ(terminal_.out, "");
}

TEST_F(CommandLine, LogOutThatTheServerDidNotHearOfIsToldByALaterCommand) {
  const auto told = [&] { return server_.count("DELETE", "/api/client/v2.0/auth/session"); };
  for (const char* later : {"status", "users"}) {
    log_in();
    server_.set_reachable(false);
    EXPECT_EQ(type({"logout"}), 0) << terminal_.err;
    EXPECT_NE(terminal_.out.find("could not be told"), std::string::npos) << terminal_.out;
    (void)type({later});
    server_.set_reachable(true);
    const int before = told();
    (void)type({"token"});
    EXPECT_EQ(told(), before) << "who asks for a token does not wait for that";
    (void)type({later});
    EXPECT_EQ(told(), before + 1) << later;
    (void)type({later});
    EXPECT_EQ(told(), before + 1) << "heard once";
  }
  log_in();
  EXPECT_EQ(type({"--json", "logout"}), 0);
  EXPECT_NE(terminal_.out.find("\"server_told\":true"), std::string::npos) << terminal_.out;
}

TEST_F(CommandLine, WrongUsageIsTold) {
  EXPECT_EQ(type({}), 2);
  EXPECT_EQ(type({"who"}), 2);
  EXPECT_EQ(type({"login", "--anonymous", "--jwt"}), 2);
  EXPECT_EQ(type({"login", "--app", "x", "--base-url", server_.base_url()}), 2) << "no way is chosen";
  EXPECT_EQ(type({"token", "--min-validity", "x"}), 2);
  terminal_.out.clear();
  EXPECT_EQ(type({"--json", "token", "--min-validity", "x"}), 2);
  const auto told = Ejson::parse(terminal_.out);
  ASSERT_TRUE(told) << terminal_.out;
  EXPECT_NE(told->find("error"), nullptr);
  EXPECT_NE(told->find("error_code"), nullptr);
  EXPECT_EQ(type({"token"}), 1);
  EXPECT_NE(terminal_.err.find("no app"), std::string::npos);
  EXPECT_EQ(type({"--help"}), 0);
  EXPECT_NE(terminal_.out.find("Exit codes"), std::string::npos);
}

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

TEST_F(CommandLine, CallSendsEachArgumentAsJsonOrText) {
  log_in();
  const char* const call = "/api/client/v2.0/app/x/functions/call";
  server_.enqueue("POST", call, {.status = 200, .body = R"({"n":{"$numberLong":"3"},"at":[1]})"});
  ASSERT_EQ(type({"call", "sum", "1", "-2", "[1,2]", "{\"a\":{\"$oid\":\"5f0000000000000000000001\"}}",
                  "two words", "\"1\"", "true", "[x", "[x]", " [1]"}),
            0)
      << terminal_.err;
  EXPECT_EQ(terminal_.out, "{\"n\":3,\"at\":[1]}\n");
  EXPECT_EQ(
      server_.requests().back().body,
      R"({"name":"sum","arguments":[{"$numberInt":"1"},{"$numberInt":"-2"},[{"$numberInt":"1"},{"$numberInt":"2"}],)"
      R"({"a":{"$oid":"5f0000000000000000000001"}},"two words","1",true,"[x","[x]",[{"$numberInt":"1"}]]})");
  server_.enqueue("POST", call, {.status = 200, .body = "7"});
  ASSERT_EQ(type({"call", "seven", "--json"}), 0) << terminal_.err;
  EXPECT_EQ(terminal_.out, "{\"result\":7}\n");
  server_.enqueue("POST", call,
                  {.status = 400, .body = R"({"error":"no","error_code":"FunctionExecutionError"})"});
  EXPECT_EQ(type({"call", "fails"}), 1);
  EXPECT_EQ(terminal_.err, "keyturn: no (FunctionExecutionError)\n");
  EXPECT_EQ(type({"call"}), 2);
}

class FunctionFolder : public CommandLine {
 protected:
  void write(const std::string& name, const std::string& text) {
    const auto file = folder_ / "functions" / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int push() {
    server_.enqueue("POST", "/api/admin/v3.0/auth/providers/local-userpass/login",
                    {.status = 200, .body = R"({"access_token":"a","refresh_token":"r"})"});
    server_.enqueue("GET", "/api/admin/v3.0/auth/profile",
                    {.status = 200, .body = R"({"roles":[{"role_name":"OWNER","group_id":"g"}]})"});
    server_.enqueue("GET", "/api/admin/v3.0/groups/g/apps",
                    {.status = 200, .body = R"([{"_id":"1","client_app_id":"x"}])"});
    terminal_.variables["KEYTURN_ADMIN_EMAIL"] = "admin@example.com";
    terminal_.variables["KEYTURN_ADMIN_PASSWORD"] = "admin-password";
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

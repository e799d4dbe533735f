// SPDX-License-Identifier: Apache-2.0
// What users type.
#include <algorithm>
#include <string>

#include "cli/front.hpp"
#include "cli/testing/command_line.hpp"

namespace keyturn::cli {
namespace {

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

}  // namespace
}  // namespace keyturn::cli

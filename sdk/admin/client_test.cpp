// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <keyturn/admin.hpp>
#include <keyturn/testing.hpp>

namespace keyturn::admin {
namespace {

using keyturn::testing::RecordedRequest;
using keyturn::testing::ScriptedServer;

constexpr const char* kLogin = "/api/admin/v3.0/auth/providers/local-userpass/login";
constexpr const char* kSession = "/api/admin/v3.0/auth/session";
constexpr const char* kApps = "/api/admin/v3.0/groups/g/apps";

class AdminClient : public ::testing::Test {
 protected:
  void log_in() {
    server_.enqueue("POST", kLogin, {.status = 200, .body = R"({"access_token":"a1","refresh_token":"r1"})"});
    client_.login("admin@example.com", Secret("secret")).get();
  }

  ScriptedServer server_;
  Client client_{server_.base_url() + "/"};
};

TEST_F(AdminClient, SendsItsAccessToken) {
  log_in();
  server_.enqueue("GET", kApps, {.status = 200, .body = "[]"});
  EXPECT_EQ(client_.send("GET", "/groups/g/apps").get().body, "[]");
  EXPECT_EQ(find_header(server_.requests().back().headers, "Authorization"), "Bearer a1");
  EXPECT_EQ(server_.requests().front().body, R"({"username":"admin@example.com","password":"secret"})");
}

TEST_F(AdminClient, RefreshesOnceWhenItsTokenExpired) {
  log_in();
  const std::string expired =
      R"({"error":"invalid session: access token expired","error_code":"InvalidSession"})";
  server_.enqueue("POST", kApps, {.status = 401, .body = expired});
  server_.enqueue("POST", kSession, {.status = 201, .body = R"({"access_token":"a2"})"});
  server_.enqueue("POST", kApps, {.status = 201, .body = "{}"});
  EXPECT_EQ(client_.send("POST", "/groups/g/apps", R"({"name":"x"})").get().status, 201);
  const auto requests = server_.requests();
  EXPECT_EQ(find_header(requests[2].headers, "Authorization"), "Bearer r1");
  EXPECT_EQ(find_header(requests[3].headers, "Authorization"), "Bearer a2");
  EXPECT_EQ(requests[3].body, R"({"name":"x"})");
}

TEST_F(AdminClient, AnotherRefusalIsAnAnswer) {
  log_in();
  server_.enqueue("GET", kApps, {.status = 401, .body = R"({"error":"unauthorized"})"});
  EXPECT_EQ(client_.send("GET", "/groups/g/apps").get().status, 401);
  EXPECT_EQ(server_.count("POST", kSession), 0);
}

TEST_F(AdminClient, WrongPasswordKeepsItsCode) {
  server_.enqueue("POST", kLogin,
                  {.status = 401, .body = R"({"error":"unauthorized","error_code":"InvalidPassword"})"});
  const auto refused = client_.login("admin@example.com", Secret("wrong")).result();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidPassword);
  EXPECT_EQ(client_.send("GET", "/groups/g/apps").result().error().code, ErrorCode::ClientUserNotLoggedIn);
}

TEST_F(AdminClient, AnswerWithoutTokensIsRefused) {
  server_.enqueue("POST", kLogin, {.status = 200, .body = R"({"access_token":"a1"})"});
  EXPECT_EQ(client_.login("admin@example.com", Secret("x")).result().error().code,
            ErrorCode::InvalidServerResponse);
}

}  // namespace
}  // namespace keyturn::admin

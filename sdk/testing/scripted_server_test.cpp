// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <iterator>

#include <keyturn/testing.hpp>

#include "sdk/transport/curl_loop.hpp"

namespace keyturn::testing {
namespace {

class ScriptedServerTest : public ::testing::Test {
 protected:
  HttpResponse send(const std::string& method, const std::string& path, const std::string& body = {},
                    const std::string& bearer = {}) {
    std::promise<Result<HttpResponse>> answer;
    HttpRequest request{.method = method,
                        .url = server_.base_url() + path,
                        .body = body,
                        .timeout = std::chrono::seconds{10}};
    if (!bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + bearer);
    transport_.send(std::move(request),
                    [&](Result<HttpResponse> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get().value();
  }
  static std::string member(const std::string& body, const std::string& name) {
    const std::size_t at = body.find("\"" + name + "\":\"") + name.size() + 4;
    return body.substr(at, body.find('"', at) - at);
  }

  static constexpr const char* kLogin = "/api/client/v2.0/app/x/auth/providers/local-userpass/login";
  ScriptedServer server_;
  sdk::CurlLoop loop_{system_clock()};
  sdk::CurlTransport transport_{loop_};
};

TEST_F(ScriptedServerTest, QueuedAnswersComeFirstAndOnce) {
  server_.set_handler([](const RecordedRequest&) { return ScriptedResponse{.status = 202}; });
  server_.enqueue("GET", "/a", {.status = 418});
  EXPECT_EQ(send("GET", "/a?x=1").status, 418);
  EXPECT_EQ(send("GET", "/a").status, 202);
  EXPECT_EQ(server_.count("GET", "/a"), 2);
  EXPECT_EQ(server_.requests()[0].path, "/a?x=1");
}

TEST_F(ScriptedServerTest, AConnectionThatIsOverIsGivenBack) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto cut = [this] {
    server_.enqueue("GET", "/cut", {.cut_after = 10});
    std::promise<void> answer;
    transport_.send(
        {.method = "GET", .url = server_.base_url() + "/cut", .timeout = std::chrono::seconds{10}},
        [&](const Result<HttpResponse>&) { answer.set_value(); });
    answer.get_future().get();
  };
  cut();
  const auto before = descriptors();
  for (int i = 0; i < 100; ++i) cut();
  EXPECT_LE(descriptors(), before + 5);
}

TEST_F(ScriptedServerTest, ModelLogsInRefreshesAndLogsOut) {
  server_.add_user("ada@example.com", "secret-password");
  EXPECT_EQ(send("POST", kLogin, R"({"username":"ada@example.com","password":"wrong"})").status, 401);
  const HttpResponse login =
      send("POST", kLogin, R"({"username":"ada@example.com","password":"secret-password"})");
  ASSERT_EQ(login.status, 200);
  const std::string access = member(login.body, "access_token");
  const std::string refresh = member(login.body, "refresh_token");
  const HttpResponse profile = send("GET", "/api/client/v2.0/auth/profile", {}, access);
  EXPECT_EQ(profile.status, 200);
  EXPECT_NE(profile.body.find("ada@example.com"), std::string::npos);
  EXPECT_EQ(send("GET", "/api/client/v2.0/auth/profile", {}, refresh).status, 401);
  EXPECT_EQ(send("POST", "/api/client/v2.0/auth/session", {}, refresh).status, 201);
  EXPECT_EQ(server_.refresh_count(), 1);
  EXPECT_EQ(send("DELETE", "/api/client/v2.0/auth/session", {}, refresh).status, 204);
  const HttpResponse ended = send("POST", "/api/client/v2.0/auth/session", {}, refresh);
  EXPECT_EQ(ended.status, 401);
  EXPECT_EQ(member(ended.body, "reason"), "logged_out");
}

TEST_F(ScriptedServerTest, RevokedUserIsRefusedWithTheReason) {
  const HttpResponse login = send("POST", "/api/client/v2.0/app/x/auth/providers/anon-user/login");
  server_.revoke(member(login.body, "user_id"));
  const HttpResponse refused =
      send("POST", "/api/client/v2.0/auth/session", {}, member(login.body, "refresh_token"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(member(refused.body, "reason"), "revoked");
}

TEST_F(ScriptedServerTest, ExpiredAccessTokenIsRefused) {
  server_.set_access_token_lifetime(std::chrono::seconds{0});
  const HttpResponse login = send("POST", "/api/client/v2.0/app/x/auth/providers/anon-user/login");
  EXPECT_EQ(send("GET", "/api/client/v2.0/auth/profile", {}, member(login.body, "access_token")).status, 401);
}

}  // namespace
}  // namespace keyturn::testing

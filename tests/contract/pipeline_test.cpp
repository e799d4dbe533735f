// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/json/json.hpp"
#include "core/protocol/routes.hpp"
#include "tests/contract/exchange_runner.hpp"

namespace keyturn::contract {
namespace {

class Pipeline : public ::testing::Test {
 protected:
  void SetUp() override { runner_.run_file("02_login_anonymous.json"); }
  HttpResponse ask(std::string_view method, std::string_view path, std::string_view bearer = {}) {
    json::Object request{{"method", method}, {"path", path}};
    if (!bearer.empty()) request.set("bearer", bearer);
    return runner_.ask(request);
  }
  ContractServer server_;
  ExchangeRunner runner_{server_};
};

TEST_F(Pipeline, AFaultOfTheStoreIsNeverAVerdictAndTellsNothing) {
  server_.break_store();
  struct Asked {
    const char* method;
    const char* path;
    const char* bearer;
  };
  for (const auto& [method, path, bearer] :
       {Asked{"POST", "${client}/auth/session", "${refresh}"},
        Asked{"DELETE", "${client}/auth/session", "${refresh}"},
        Asked{"GET", "${client}/auth/profile", "${access}"},
        Asked{"DELETE", "${client}/auth/delete", "${access}"},
        Asked{"GET", "${client}/auth/sessions", "${access}"},
        Asked{"GET", "${client}/auth/api_keys", "${refresh}"},
        Asked{"POST", "${client}/app/${app}/functions/call", "${access}"},
        Asked{"POST", "${client}/app/${app}/auth/providers/anon-user/login", ""},
        Asked{"GET", "${admin_api}/auth/profile", "${admin}"}}) {
    const HttpResponse answer = ask(method, path, bearer);
    EXPECT_EQ(answer.status, 503) << path << answer.body;
    const auto body = json::parse(answer.body);
    EXPECT_EQ(body->string_at("error_code"), "ServiceUnavailable");
    EXPECT_EQ(answer.body.find("SELECT"), std::string::npos) << answer.body;
    EXPECT_EQ(answer.body.find("disk"), std::string::npos) << answer.body;
    EXPECT_NE(server_.records().back().detail.find("disk I/O error"), std::string::npos);
  }
}

TEST_F(Pipeline, EveryRequestHasAnIdOfItsOwn) {
  const HttpResponse first = ask("GET", "/healthz");
  const HttpResponse second = ask("GET", "/healthz");
  EXPECT_NE(find_header(first.headers, protocol::kRequestIdHeader),
            find_header(second.headers, protocol::kRequestIdHeader));
}

TEST_F(Pipeline, WritesOneRecordPerRequest) {
  const std::size_t before = server_.records().size();
  static_cast<void>(ask("GET", "${client}/auth/profile?secret=sesame", "${access}"));
  const auto records = server_.records();
  ASSERT_EQ(records.size(), before + 1);
  EXPECT_EQ(records.back().status, 200);
  EXPECT_EQ(records.back().path, "/api/client/v2.0/auth/profile");
  EXPECT_EQ(records.back().all.find("sesame"), std::string::npos);
}

TEST_F(Pipeline, ARefusalOfTheListenerLooksLikeAnyOther) {
  HttpRequest head;
  head.method = "POST";
  head.url = substitute(std::string_view("${client}/app/${app}/functions/call"), runner_.names());
  head.headers = {{"Host", "localhost:9090"}, {"Origin", "http://localhost:8080"}};
  const HttpResponse answer = server_.api().refuse(413, "request body too large", head);
  check_form(head, answer);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(find_header(answer.headers, "access-control-allow-origin"), "http://localhost:8080");
  const auto body = json::parse(answer.body);
  EXPECT_EQ(body->string_at("error"), "request body too large");
  EXPECT_NE(body->string_at("link")->find("/apps/"), std::string_view::npos);
  EXPECT_EQ(server_.api().refuse(503, "too busy", {}).status, 503);
  EXPECT_EQ(find_header(server_.api().refuse(503, "too busy", {}).headers, "retry-after"), "1");
  EXPECT_EQ(server_.api().refuse(431, "header too large", {}).status, 431);
}

TEST_F(Pipeline, PlansTheLaneBeforeTheBodyIsRead) {
  using protocol::Lane;
  const auto lane = [&](std::string_view method, std::string_view path) {
    return server_.api().plan(method, substitute(path, runner_.names())).lane;
  };
  EXPECT_EQ(lane("POST", "${client}/auth/session"), Lane::immediate);
  EXPECT_EQ(lane("GET", "${client}/auth/profile"), Lane::immediate);
  EXPECT_EQ(lane("DELETE", "${client}/auth/session"), Lane::storage);
  EXPECT_EQ(lane("POST", "${client}/app/${app}/auth/providers/anon-user/login"), Lane::storage);
  EXPECT_EQ(lane("POST", "${client}/app/${app}/auth/providers/local-userpass/login"), Lane::password);
  EXPECT_EQ(lane("POST", "${client}/app/${app}/auth/providers/local-userpass/login?link=true"),
            Lane::password);
  EXPECT_EQ(lane("POST", "${client}/app/${app}/auth/providers/local%2Duserpass/login"), Lane::password)
      << "no spelling of the path reaches the slow hash on another lane";
  EXPECT_EQ(lane("POST", "${client}/app/${app}/auth/providers/local-userpass/register"), Lane::password);
  EXPECT_EQ(lane("POST", "${client}/app/${app}/auth/providers/local-userpass/reset"), Lane::password);
  EXPECT_EQ(lane("POST", "${admin_api}/auth/providers/local-userpass/login"), Lane::password);
  EXPECT_EQ(lane("POST", "/nowhere"), Lane::immediate);
}

TEST_F(Pipeline, AHostThatIsNoneIsNotEchoed) {
  HttpRequest request;
  request.url = substitute(std::string_view("${client}/app/${app}/location"), runner_.names());
  request.headers = {{"Host", "evil\"/x?y"}};
  const auto body = json::parse(server_.ask(request).body);
  EXPECT_EQ(body->string_at("hostname"), "http://localhost");
}

TEST_F(Pipeline, TheLinkLeadsToTheLoggedRefusal) {
  const HttpResponse refused = ask("POST", "${client}/app/${app}/auth/providers/api-key/login");
  const auto said = json::parse(refused.body);
  const auto link = said->string_at("link");
  ASSERT_TRUE(link);
  const std::string target = "${admin_api}" + std::string(link->substr(link->find("/groups/")));
  const HttpResponse logs = ask("GET", target, "${admin}");
  ASSERT_EQ(logs.status, 200) << logs.body;
  const auto body = json::parse(logs.body);
  ASSERT_EQ(body->find("logs")->as_array()->size(), 1U) << logs.body;
  EXPECT_EQ(body->find("logs")->as_array()->front().string_at("error"), "'key' is a required string");
}

TEST_F(Pipeline, TheLogOfRefusalsIsBounded) {
  for (int i = 0; i < 1'100; ++i) static_cast<void>(ask("POST", "${client}/app/${app}/location"));
  const HttpResponse logs =
      ask("GET", "${admin_api}/groups/${group}/apps/${app_id}/logs?errors_only=true&skip=950&limit=100",
          "${admin}");
  EXPECT_EQ(json::parse(logs.body, {std::size_t{1} << 20, 32})->find("logs")->as_array()->size(), 50U);
}

}  // namespace
}  // namespace keyturn::contract

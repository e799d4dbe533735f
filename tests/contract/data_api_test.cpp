// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "tests/contract/exchange_runner.hpp"

// The Data API over scripted documents (data-api.md).
namespace keyturn::contract {
namespace {

constexpr const char* kBody =
    R"({"dataSource":"scripted","database":"shop","collection":"orders","filter":{"n":1}})";
constexpr const char* kNobody = "invalid session: error finding user for endpoint";

class DataApi : public ::testing::Test {
 protected:
  DataApi() {
    runner.run_file("02_login_anonymous.json");
    configure({});
  }

  HttpResponse admin(const std::string& method, const std::string& path, json::Value body) {
    return runner.ask(json::Object{{"method", method},
                                   {"path", "${admin_api}/groups/${group}/apps/${app_id}" + path},
                                   {"bearer", "${admin}"},
                                   {"body", std::move(body)}});
  }
  void configure(const json::Object& more) {
    json::Object config{{"disabled", false},
                        {"versions", json::Array{"v1"}},
                        {"return_type", "JSON"},
                        {"validation_method", "NO_VALIDATION"}};
    for (const auto& [name, value] : more) config.set(name, value);
    ASSERT_EQ(admin("POST", "/data_api/config", std::move(config)).status, 201);
  }
  HttpResponse act(const std::string& action, HttpHeaders headers, const std::string& body = kBody,
                   const std::string& query = {}) {
    HttpRequest request;
    request.method = "POST";
    request.url =
        substitute(std::string_view("/app/${app}/endpoint/data/v1/action/"), runner.names()) + action + query;
    request.headers = std::move(headers);
    request.headers.emplace_back("Host", "localhost:9090");
    request.body = body;
    return server.ask(request);
  }
  HttpHeaders bearer() {
    return {{"Authorization", "Bearer " + substitute(std::string_view("${access}"), runner.names())}};
  }
  static void expect_error(const HttpResponse& answer, int status, std::string_view code,
                           std::string_view text) {
    const auto body = json::parse(answer.body);
    EXPECT_EQ(answer.status, status) << answer.body;
    ASSERT_TRUE(body);
    EXPECT_EQ(body->string_at("error_code").value_or(""), code) << answer.body;
    EXPECT_EQ(body->string_at("error").value_or(""), text);
    EXPECT_EQ(find_header(answer.headers, "content-type"), "application/json");
  }
  HttpHeaders password(const std::string& text) { return {{"email", "ann@example.org"}, {"password", text}}; }
  void add_password_user() {
    runner.ask(json::Object{
        {"method", "POST"},
        {"path", "${admin_api}/groups/${group}/apps/${app_id}/auth_providers"},
        {"bearer", "${admin}"},
        {"body", json::Object{{"type", "local-userpass"},
                              {"config", json::Object{{"autoConfirm", true},
                                                      {"resetPasswordUrl", "http://localhost/r"}}}}}});
    const HttpResponse made = admin(
        "POST", "/users", json::Object{{"email", "ann@example.org"}, {"password", "a good long password"}});
    ASSERT_EQ(made.status, 201) << made.body;
    ann = std::string(json::parse(made.body)->string_at("_id").value_or(""));
  }

  ContractServer server;
  ExchangeRunner runner{server};
  std::string ann;
};

TEST_F(DataApi, RunsAnActionForTheBearer) {
  server.data().answer(Ejson(EjsonDocument{{"n", std::int32_t{1}}}));
  const HttpResponse answer = act("findOne", bearer());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, R"({"document":{"n":1}})");
  EXPECT_EQ(find_header(answer.headers, "content-type"), "application/json");
  EXPECT_FALSE(server.data().asked().user_id.empty());
  EXPECT_EQ(server.data().asked().action, "findOne");
  EXPECT_FALSE(server.data().asked().is_system);
}

TEST_F(DataApi, AnswersInTheFormatThatIsAccepted) {
  server.data().answer(Ejson(EjsonDocument{{"n", std::int32_t{1}}}));
  HttpHeaders headers = bearer();
  headers.emplace_back("Accept", "application/ejson");
  const HttpResponse answer = act("findOne", headers);
  EXPECT_EQ(answer.body, R"({"document":{"n":{"$numberInt":"1"}}})");
  EXPECT_EQ(find_header(answer.headers, "content-type"), "application/ejson");
  configure({{"return_type", "EJSON"}});
  EXPECT_EQ(find_header(act("findOne", bearer()).headers, "content-type"), "application/ejson");
}

TEST_F(DataApi, ReadsBothFormatsWithOrWithoutAType) {
  for (const char* type : {"application/json", "application/ejson", "text/plain"}) {
    HttpHeaders headers = bearer();
    headers.emplace_back("Content-Type", type);
    EXPECT_EQ(
        act("find", headers,
            R"({"dataSource":"scripted","database":"d","collection":"c","filter":{"n":{"$numberLong":"7"}}})")
            .status,
        200);
    const ScriptedData::Asked asked = server.data().asked();
    const Ejson* filter = asked.arguments.find("query");
    ASSERT_NE(filter, nullptr);
    EXPECT_EQ(*filter->find("n"), Ejson(std::int64_t{7}));
  }
}

TEST_F(DataApi, IsNotThereUntilItIsEnabled) {
  configure({{"disabled", true}});
  EXPECT_EQ(act("find", bearer()).status, 404);
  ASSERT_EQ(admin("PATCH", "/data_api/config", json::Object{{"disabled", false}}).status, 204);
  EXPECT_EQ(act("find", bearer()).status, 200);
}

TEST_F(DataApi, KnowsNoOtherPathsMethodsAndApps) {
  EXPECT_EQ(act("drop", bearer()).status, 404);
  HttpRequest request;
  request.url = "/app/nobody-abcde/endpoint/data/v1/action/find";
  request.method = "POST";
  expect_error(server.ask(request), 404, "", "cannot find app using Client App ID 'nobody-abcde'");
}

TEST_F(DataApi, WantsSomeCompleteCredentials) {
  expect_error(act("find", {}), 400, "InvalidParameter", "no authentication methods were specified");
  expect_error(act("find", {{"Authorization", "Basic abc"}}), 400, "InvalidParameter",
               "no authentication methods were specified");
  for (const HttpHeaders& half : {HttpHeaders{{"email", "a@b.c"}}, HttpHeaders{{"password", "secret"}},
                                  HttpHeaders{{"apiKey", ""}}, HttpHeaders{{"jwtTokenString", ""}}}) {
    expect_error(act("find", half), 400, "MissingParameter",
                 "must specify some form of authentication (either email+password, api-key, or jwt) in the "
                 "request header or body");
  }
}

TEST_F(DataApi, TellsNothingAboutABadBearerAndTriesNothingElse) {
  add_password_user();
  HttpHeaders headers = password("a good long password");
  headers.emplace_back("Authorization", "Bearer broken.token.here");
  expect_error(act("find", headers), 401, "InvalidSession", kNobody);
  EXPECT_EQ(server.records().back().detail, "unauthorized");
  expect_error(act("find", {{"Authorization", "Bearer "}}), 401, "InvalidSession", kNobody);
  expect_error(act("find", {{"Authorization", "bearer"}}), 401, "InvalidSession", kNobody);
}

TEST_F(DataApi, AnExpiredBearerIsNotGood) {
  server.clock().advance(std::chrono::seconds(1'801));
  expect_error(act("find", bearer()), 401, "InvalidSession", kNobody);
}

TEST_F(DataApi, AFaultOfTheStoreIsNoVerdict) {
  server.break_store();
  const HttpResponse answer = act("find", bearer());
  EXPECT_EQ(answer.status, 503) << answer.body;
}

TEST_F(DataApi, LogsInWithAPasswordAndLeavesNoSession) {
  add_password_user();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(act("find", password("a good long password")).status, 200);
  EXPECT_EQ(server.data().asked().user_id, ann);
  EXPECT_EQ(server.data().asked().provider_type, "local-userpass");
  EXPECT_EQ(admin("GET", "/users/" + ann + "/devices", json::Value()).body, "[]");
  expect_error(act("find", password("another password")), 401, "InvalidSession", kNobody);
}

TEST_F(DataApi, ARememberedPasswordEndsWithTheUserAtOnce) {
  add_password_user();
  EXPECT_EQ(act("find", password("a good long password")).status, 200);
  ASSERT_EQ(admin("PUT", "/users/" + ann + "/disable", json::Value()).status, 204);
  expect_error(act("find", password("a good long password")), 401, "InvalidSession", kNobody);
  ASSERT_EQ(admin("PUT", "/users/" + ann + "/enable", json::Value()).status, 204);
  EXPECT_EQ(act("find", password("a good long password")).status, 200);
  ASSERT_EQ(admin("DELETE", "/users/" + ann, json::Value()).status, 204);
  expect_error(act("find", password("a good long password")), 401, "InvalidSession", kNobody);
}

TEST_F(DataApi, ARememberedPasswordEndsWithItsChangeAtOnce) {
  add_password_user();
  EXPECT_EQ(act("find", password("a good long password")).status, 200);
  const auto reset = [&](const char* operation, json::Object body) {
    return runner
        .ask(json::Object{
            {"method", "POST"},
            {"path", std::string("${client}/app/${app}/auth/providers/local-userpass/") + operation},
            {"body", std::move(body)}})
        .status;
  };
  ASSERT_EQ(reset("reset/send", {{"email", "ann@example.org"}}), 200);
  const std::string mail = server.mail_to("ann@example.org").body;
  const auto after = [&](const std::string& mark, std::size_t size) {
    return mail.substr(mail.find(mark) + mark.size(), size);
  };
  ASSERT_EQ(reset("reset", {{"token", after("?token=", 128)},
                            {"tokenId", after("&tokenId=", 24)},
                            {"password", "another long password"}}),
            200);
  expect_error(act("find", password("a good long password")), 401, "InvalidSession", kNobody);
  EXPECT_EQ(act("find", password("another long password")).status, 200);
}

TEST_F(DataApi, HashesAPasswordInItsLaneUntilItIsKnown) {
  add_password_user();
  HttpRequest head;
  head.method = "POST";
  head.url = substitute(std::string_view("/app/${app}/endpoint/data/v1/action/find"), runner.names());
  head.headers = password("a good long password");
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::password);
  EXPECT_EQ(act("find", password("a good long password")).status, 200);
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::function);
  head.headers = bearer();
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::function);
}

TEST_F(DataApi, TakesItsShareOfTheLaneForTheAppAndTheCredentials) {
  const auto share = [&](std::string_view path, HttpHeaders headers) {
    HttpRequest head;
    head.method = "POST";
    head.url = substitute(path, runner.names());
    head.headers = std::move(headers);
    return server.api().plan_for(head).share;
  };
  const auto find = share("/app/${app}/endpoint/data/v1/action/find", bearer());
  EXPECT_NE(find.app, 0U);
  EXPECT_NE(find.caller, 0U);
  const auto call = share("/api/client/v2.0/app/${app}/functions/call", bearer());
  EXPECT_EQ(call.app, find.app);
  EXPECT_EQ(call.caller, find.caller);
  EXPECT_NE(share("/app/${app}/endpoint/data/v1/action/find", {{"apiKey", "k"}}).caller, find.caller);
  EXPECT_EQ(share("/app/${app}/endpoint/data/v1/action/find", {}).caller, 0U);
  EXPECT_NE(share("/app/other-abcde/endpoint/data/v1/action/find", bearer()).app, find.app);
}

TEST_F(DataApi, LogsInWithAServerKeyUntilItIsDisabled) {
  const HttpResponse made = admin("POST", "/api_keys", json::Object{{"name", "job"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto key = json::parse(made.body);
  const auto providers = json::parse(admin("GET", "/auth_providers", json::Value()).body);
  for (const json::Value& each : *providers->as_array()) {
    if (each.string_at("type") == "api-key") {
      admin("PUT", "/auth_providers/" + std::string(*each.string_at("_id")) + "/enable", json::Value());
    }
  }
  const HttpHeaders headers{{"apiKey", std::string(*key->string_at("key"))}};
  EXPECT_EQ(act("find", headers).status, 200);
  const std::string first = server.data().asked().user_id;
  EXPECT_EQ(act("find", headers).status, 200);
  EXPECT_EQ(server.data().asked().user_id, first);
  ASSERT_EQ(
      admin("PUT", "/api_keys/" + std::string(*key->string_at("_id")) + "/disable", json::Value()).status,
      204);
  expect_error(act("find", headers), 401, "InvalidSession", kNobody);
}

TEST_F(DataApi, RunsAsAnotherUserWithoutCredentials) {
  add_password_user();
  configure({{"run_as_user_id", ann}});
  EXPECT_EQ(act("find", {}).status, 200);
  EXPECT_EQ(server.data().asked().user_id, ann);
  configure({{"run_as_user_id_script_source", R"(return: {"runAsSystem": true})"}});
  EXPECT_EQ(act("find", {}).status, 200);
  EXPECT_TRUE(server.data().asked().is_system);
}

TEST_F(DataApi, AsksForASecretOrASignature) {
  ASSERT_EQ(admin("POST", "/secrets", json::Object{{"name", "hook"}, {"value", "sesame"}}).status, 201);
  configure({{"validation_method", "SECRET_AS_QUERY_PARAM"}, {"secret_name", "hook"}});
  EXPECT_EQ(act("find", bearer(), kBody, "?secret=sesame").status, 200);
  EXPECT_EQ(act("find", bearer(), kBody, "?secret=sesam").status, 401);
  EXPECT_EQ(act("find", bearer()).status, 401);
  configure({{"validation_method", "VERIFY_PAYLOAD"}, {"secret_name", "hook"}});
  const auto mac = crypto::hmac_sha256("sesame", kBody);
  HttpHeaders headers = bearer();
  headers.emplace_back("Endpoint-Signature",
                       "sha256=" + crypto::hex_encode(std::string(mac.begin(), mac.end())));
  EXPECT_EQ(act("find", headers).status, 200);
  EXPECT_EQ(act("find", headers, std::string(kBody) + " ").status, 401);
}

TEST_F(DataApi, LetsInWhomItsConditionNames) {
  configure({{"can_evaluate", json::Object{{"%%user.type", "server"}}}});
  expect_error(act("find", bearer()), 400, "NoMatchingRuleFound", "rule not matched for the endpoint");
  configure({{"can_evaluate", json::Object{{"%%user.type", "normal"}}}});
  EXPECT_EQ(act("find", bearer()).status, 200);
  configure({{"can_evaluate", json::Object{{"%%unheard.of", 1}}}});
  EXPECT_EQ(act("find", bearer()).status, 400) << "what is not understood lets nobody in";
}

TEST_F(DataApi, AConditionMayAskWhereTheRequestComesFrom) {
  configure({{"can_evaluate", json::Object{{"%%request.remoteIPAddress", "192.0.2.7"}}}});
  HttpRequest request;
  request.method = "POST";
  request.url = substitute(std::string_view("/app/${app}/endpoint/data/v1/action/find"), runner.names());
  request.headers = bearer();
  request.body = kBody;
  const auto status_from = [&](const std::string& address) {
    int status = 0;
    server.api().handle_from({address, "a limit's key"}, request,
                             [&](protocol::Reply reply) { status = reply.response.status; });
    return status;
  };
  EXPECT_EQ(status_from("192.0.2.7"), 200);
  EXPECT_EQ(status_from("192.0.2.8"), 400);
  EXPECT_EQ(status_from(""), 400);
}

TEST_F(DataApi, PassesOnWhatTheServiceRefuses) {
  server.data().answer(server::refusal(ErrorCode::NoMatchingRuleFound, 403, "no rule"));
  expect_error(act("find", bearer()), 403, "NoMatchingRuleFound", "no rule");
  expect_error(act("find", bearer(), R"({"dataSource":"other","database":"d","collection":"c","filter":{}})"),
               404, "ServiceNotFound", "service not found: 'other'");
  EXPECT_EQ(act("find", bearer(), "{").status, 400);
  EXPECT_EQ(act("find", bearer(), "[]").status, 400);
  expect_error(act("find", bearer(), "{}"), 400, "MissingParameter", "'dataSource' is required");
}

TEST_F(DataApi, LetsPagesComeWithABearerOnly) {
  HttpRequest request;
  request.method = "OPTIONS";
  request.url = substitute(std::string_view("/app/${app}/endpoint/data/v1/action/find"), runner.names());
  request.headers = {{"Origin", "http://localhost:8080"},
                     {"Access-Control-Request-Method", "POST"},
                     {"Access-Control-Request-Headers", "apikey,content-type"}};
  const HttpResponse answer = server.ask(request);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(find_header(answer.headers, "access-control-allow-origin"), "http://localhost:8080");
  EXPECT_EQ(find_header(answer.headers, "access-control-allow-headers"),
            "Authorization, Content-Type, Accept");
}

TEST_F(DataApi, RefusesAConfigurationThatIsNone) {
  EXPECT_EQ(admin("POST", "/data_api/config", json::Object{{"disabled", false}}).status, 400);
  EXPECT_EQ(admin("PATCH", "/data_api/config", json::Object{{"return_type", "XML"}}).status, 400);
  EXPECT_EQ(admin("GET", "/data_api/versions", json::Value()).body, R"(["v1"])");
  const auto config = json::parse(admin("GET", "/data_api/config", json::Value()).body);
  EXPECT_EQ(config->string_at("return_type"), "JSON");
}

}  // namespace
}  // namespace keyturn::contract

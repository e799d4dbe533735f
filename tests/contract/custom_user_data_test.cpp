// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "server/domain/data/custom_user_data_claim.hpp"
#include "tests/contract/exchange_runner.hpp"

// Custom user data in access tokens (functions.md 7, admin-api.md 8).
namespace keyturn::contract {
namespace {

class CustomUserData : public ::testing::Test {
 protected:
  CustomUserData() { runner.run_file("02_login_anonymous.json"); }

  int patch(const json::Object& settings) {
    return runner
        .ask(json::Object{{"method", "PATCH"},
                          {"path", "${admin_api}/groups/${group}/apps/${app_id}/custom_user_data"},
                          {"bearer", "${admin}"},
                          {"body", settings}})
        .status;
  }
  int enable() {
    return patch({{"enabled", true},
                  {"mongo_service_id", "65f0c0ffee0000000000abcd"},
                  {"database_name", "app"},
                  {"collection_name", "UserData"},
                  {"user_id_field", "user_id"}});
  }
  /// The payload of a new access token.
  json::Value refreshed() {
    const HttpResponse answer = runner.ask(
        json::Object{{"method", "POST"}, {"path", "${client}/auth/session"}, {"bearer", "${refresh}"}});
    EXPECT_EQ(answer.status, 201) << answer.body;
    const auto body = json::parse(answer.body);
    token = std::string(body->string_at("access_token").value_or(""));
    const std::size_t first = token.find('.') + 1;
    const auto payload =
        crypto::base64url_decode(std::string_view(token).substr(first, token.find('.', first) - first));
    auto claims = json::parse(*payload);
    EXPECT_TRUE(claims);
    return claims ? *std::move(claims) : json::Value();
  }
  std::string user() { return std::string(refreshed().string_at("sub").value_or("")); }

  ContractServer server;
  ExchangeRunner runner{server};
  std::string token;
};

TEST_F(CustomUserData, CostsNothingWhileItIsOff) {
  server.data().set_custom(user(), {{"color", "red"}});
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
  EXPECT_EQ(server.data().reads(), 0);
}

TEST_F(CustomUserData, IsInTheNextTokenWithPlainNumbers) {
  const std::string id = user();
  ASSERT_EQ(enable(), 204);
  EXPECT_EQ(refreshed().find("user_data"), nullptr) << "there is no document yet";
  server.data().set_custom(id, {{"user_id", id},
                                {"age", std::int32_t{153}},
                                {"big", std::int64_t{9007199254740993}},
                                {"seen", BsonDate{5}},
                                {"tags", EjsonArray{"a", 1.5, nullptr}}});
  const json::Value claims = refreshed();
  ASSERT_NE(claims.find("user_data"), nullptr);
  EXPECT_EQ(json::write(*claims.find("user_data")),
            R"({"user_id":")" + id +
                R"(","age":153,"big":{"$numberLong":"9007199254740993"},)"
                R"("seen":{"$date":{"$numberLong":"5"}},"tags":["a",1.5,null]})");
  const HttpResponse profile =
      runner.ask(json::Object{{"method", "GET"}, {"path", "${client}/auth/profile"}, {"bearer", token}});
  EXPECT_EQ(profile.status, 200) << "the token is as good as one without";
}

TEST_F(CustomUserData, IsLeftOutWhenItIsTooBig) {
  const std::string id = user();
  ASSERT_EQ(enable(), 204);
  const std::size_t frame = std::string(R"({"t":""})").size();
  server.data().set_custom(id, {{"t", std::string(server::kMostUserDataBytes - frame, 'x')}});
  EXPECT_NE(refreshed().find("user_data"), nullptr);
  constexpr std::size_t kMostOfALine = std::size_t{16} * 1024;
  EXPECT_LE(token.size() + std::string("Authorization: Bearer ").size(), kMostOfALine);
  const std::string watch = R"({"name":"watch","arguments":[{"database":"shop","collection":"orders"}],)"
                            R"("service":"mongodb-atlas"})";
  const std::string line =
      "GET /api/client/v2.0/app/a-name-of-32-characters-at-most-abcde/functions/call?baas_request=" +
      crypto::base64_encode(watch) + "&baas_at=" + token + " HTTP/1.1";
  EXPECT_LE(line.size(), kMostOfALine) << "a watch of a browser";
  EXPECT_GE(server::kMostUserDataBytes, 11'000U) << "no less than can be";
  server.data().set_custom(id, {{"t", std::string(server::kMostUserDataBytes - frame + 1, 'x')}});
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
}

TEST_F(CustomUserData, NeverBreaksARefresh) {
  const std::string id = user();
  ASSERT_EQ(enable(), 204);
  server.data().set_custom(id, {{"a", std::int32_t{1}}});
  server.data().break_custom(Error(ErrorCode::ServiceUnavailable, "disk"));
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
  const HttpResponse logs =
      runner.ask(json::Object{{"method", "GET"},
                              {"path", "${admin_api}/groups/${group}/apps/${app_id}/logs?errors_only=true"},
                              {"bearer", "${admin}"}});
  const std::size_t first = logs.body.find("custom user data cannot be read");
  ASSERT_NE(first, std::string::npos) << logs.body;
  EXPECT_EQ(logs.body.find("custom user data cannot be read", first + 1), std::string::npos)
      << "once a minute is enough";
  server.data().break_custom(std::nullopt);
  EXPECT_NE(refreshed().find("user_data"), nullptr);
}

TEST_F(CustomUserData, StaysOutOfTokensWhenTheAppSaysSo) {
  const std::string id = user();
  ASSERT_EQ(enable(), 204);
  server.data().set_custom(id, {{"a", std::int32_t{1}}});
  ASSERT_EQ(patch({{"in_access_token", false}}), 204);
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
  EXPECT_EQ(server.data().reads(), 0);
}

TEST_F(CustomUserData, MovesTheRefreshOffTheThreadThatMayNotWait) {
  HttpRequest head;
  head.method = "POST";
  head.url = "/api/client/v2.0/auth/session";
  head.headers = {{"Authorization", "Bearer " + substitute(std::string_view("${refresh}"), runner.names())}};
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::immediate);
  ASSERT_EQ(enable(), 204);
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::storage);
  head.url = "/api/client/v2.0/auth/sessio%6e?x=1";
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::storage) << "whatever the spelling";
  head.headers = {{"Authorization", "Bearer not.ours.atall"}};
  EXPECT_EQ(server.api().plan_for(head).lane, protocol::Lane::immediate);
}

TEST_F(CustomUserData, IsOnOnceAllItsNamesAreThere) {
  server.data().set_custom(user(), {{"a", std::int32_t{1}}});
  EXPECT_EQ(patch({{"enabled", true}, {"user_id_field", "user_id"}}), 204);
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
  EXPECT_EQ(enable(), 204);
  EXPECT_NE(refreshed().find("user_data"), nullptr);
  EXPECT_EQ(patch({{"enabled", false}}), 204);
  EXPECT_EQ(refreshed().find("user_data"), nullptr);
}

TEST_F(CustomUserData, RefusesSettingsThatAreNone) {
  EXPECT_EQ(patch({{"enabled", "yes"}}), 400);
  EXPECT_EQ(patch({{"in_access_token", 1}}), 400);
  EXPECT_EQ(patch({{"collection_name", 7}}), 400);
  EXPECT_EQ(patch({{"user_id_field", "$where"}}), 400);
}

}  // namespace
}  // namespace keyturn::contract

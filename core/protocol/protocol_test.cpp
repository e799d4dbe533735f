// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <keyturn/base/error.hpp>

#include "core/json/json.hpp"
#include "core/protocol/error_body.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/routes.hpp"

namespace keyturn::protocol {
namespace {

TEST(Routes, AreThoseOfTheClientApi) {
  EXPECT_EQ(location_path("myapp-abcde"), "/api/client/v2.0/app/myapp-abcde/location");
  EXPECT_EQ(login_path("a", "anon-user"), "/api/client/v2.0/app/a/auth/providers/anon-user/login");
  EXPECT_EQ(login_path("a", "api-key", true),
            "/api/client/v2.0/app/a/auth/providers/api-key/login?link=true");
  EXPECT_EQ(password_path("a", PasswordCall::confirm_send),
            "/api/client/v2.0/app/a/auth/providers/local-userpass/confirm/send");
  EXPECT_EQ(api_key_switch_path("0123", false), "/api/client/v2.0/auth/api_keys/0123/disable");
  EXPECT_EQ(session_path("s"), "/api/client/v2.0/auth/sessions/s");
}

TEST(Routes, EncodeWhatWouldLeaveTheSegment) {
  EXPECT_EQ(api_key_path("../x?y#z"), "/api/client/v2.0/auth/api_keys/..%2Fx%3Fy%23z");
  EXPECT_EQ(percent_encode("a b\xC3\xA9~"), "a%20b%C3%A9~");
}

TEST(LoginRequest, KeepsCredentialsAndDeviceApart) {
  const LoginRequest request{{{"username", "a@b.c"}, {"password", "secret"}},
                             json::Object{{"platform", "Linux"}}};
  const std::string body = write_login_request(request);
  EXPECT_EQ(body, R"({"username":"a@b.c","password":"secret","options":{"device":{"platform":"Linux"}}})");
  const auto back = parse_login_request(body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->credentials, request.credentials);
  ASSERT_TRUE(back->device);
  EXPECT_EQ(*back->device, *request.device);
}

TEST(LoginRequest, TakesCredentialsAsTheyAreWritten) {
  const std::optional<json::Object> device = json::Object{{"platform", "Linux"}};
  EXPECT_EQ(write_login_request(R"({"key":"}\u0041"})", device),
            R"({"key":"}\u0041","options":{"device":{"platform":"Linux"}}})");
  EXPECT_EQ(write_login_request("{ }\n", device), R"({"options":{"device":{"platform":"Linux"}}})");
  EXPECT_EQ(write_login_request("{}", std::nullopt), "{}");
  EXPECT_EQ(write_login_request(" {\"a\":1\n} ", std::nullopt), " {\"a\":1}");
}

TEST(LoginRequest, MayBeAbsent) {
  const auto request = parse_login_request("");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->credentials.empty());
  EXPECT_FALSE(request->device);
}

TEST(LoginRequest, RefusesWrongTypes) {
  for (const char* body :
       {"[]", "7", "null", R"({"options":[]})", R"({"options":{"device":"x"}})", R"({"a":1,"a":2})", "{"}) {
    const auto request = parse_login_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().code, ErrorCode::BadRequest) << body;
  }
}

TEST(LoginResponse, ReadsWhatItWrites) {
  LoginResponse response{Secret("at"), Secret("rt"), "u1", "d1"};
  const std::string body = write_login_response(response);
  EXPECT_EQ(body, R"({"access_token":"at","refresh_token":"rt","user_id":"u1","device_id":"d1"})");
  const auto back = parse_login_response(body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->access_token.reveal(), "at");
  EXPECT_EQ(back->refresh_token.reveal(), "rt");
  EXPECT_EQ(back->user_id, "u1");
  EXPECT_EQ(back->device_id, "d1");
}

TEST(LoginResponse, NamesTheMemberThatIsMissingAndNoOther) {
  const auto wrong =
      parse_login_response(R"({"access_token":"sesame","refresh_token":"x","user_id":7,"device_id":"d"})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::MissingJsonKey);
  EXPECT_NE(wrong.error().message.find("user_id"), std::string::npos);
  EXPECT_EQ(wrong.error().message.find("sesame"), std::string::npos);
}

TEST(LoginResponse, OfALinkNeedsNoRefreshToken) {
  EXPECT_TRUE(
      parse_login_response(R"({"access_token":"a","refresh_token":null,"user_id":"u","device_id":"d"})"));
}

TEST(SessionResponse, ReadsWhatItWrites) {
  const auto back = parse_session_response(write_session_response({Secret("token")}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->access_token.reveal(), "token");
  EXPECT_EQ(parse_session_response("<html>").error().code, ErrorCode::MalformedJson);
  EXPECT_EQ(parse_session_response("{}").error().code, ErrorCode::MissingJsonKey);
}

TEST(Location, ReadsWhatItWrites) {
  const auto back = parse_location(write_location({"http://h:1", "ws://h:1", "LOCAL", "DE-FF"}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->hostname, "http://h:1");
  EXPECT_EQ(back->ws_hostname, "ws://h:1");
  EXPECT_EQ(back->deployment_model, "LOCAL");
  EXPECT_TRUE(parse_location(R"({"hostname":"http://h","ws_hostname":"ws://h"})"));
}

TEST(Profile, ReadsWhatItWrites) {
  const Profile profile{"u", "d", {{"i", "anon-user", "p"}}, {{"email", "a@b.c"}}, "server"};
  const auto back = parse_profile(write_profile(profile));
  ASSERT_TRUE(back);
  EXPECT_EQ(write_profile(*back), write_profile(profile));
  EXPECT_EQ(
      write_profile(profile),
      R"({"user_id":"u","domain_id":"d","identities":[{"id":"i","provider_type":"anon-user","provider_id":"p"}],)"
      R"("data":{"email":"a@b.c"},"type":"server"})");
  EXPECT_FALSE(parse_profile(R"({"identities":[{"id":"i"}],"data":{}})"));
  EXPECT_FALSE(parse_profile(R"({"data":{}})"));
}

TEST(ApiKeys, ShowTheKeyOnlyWhenThereIsOne) {
  ApiKeyMessage created{"0a", "my-key", false, Secret("k")};
  EXPECT_EQ(write_api_key(created), R"({"_id":"0a","key":"k","name":"my-key","disabled":false})");
  std::vector<ApiKeyMessage> listed;
  listed.push_back({"0a", "my-key", true, Secret()});
  EXPECT_EQ(write_api_keys(listed), R"([{"_id":"0a","name":"my-key","disabled":true}])");
  const auto back = parse_api_keys(write_api_keys(listed));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 1U);
  EXPECT_TRUE(back->front().disabled);
  EXPECT_TRUE(back->front().key.empty());
  EXPECT_EQ(parse_api_key(write_api_key(created))->key.reveal(), "k");
}

TEST(Sessions, ReadWhatTheyWrite) {
  const std::vector<SessionMessage> sessions{{"s",
                                              "anon-user",
                                              "d",
                                              {{"platform", "Linux"}},
                                              WallTime(std::chrono::seconds(10)),
                                              WallTime(std::chrono::seconds(20)),
                                              WallTime(std::chrono::seconds(30)),
                                              true}};
  const auto back = parse_sessions(write_sessions(sessions));
  ASSERT_TRUE(back);
  EXPECT_EQ(write_sessions(*back), write_sessions(sessions));
}

TEST(ErrorBody, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(write_error_body({"no", "", "", ""}), R"({"error":"no"})");
  EXPECT_EQ(write_error_body({"no", "BadRequest", "http://l", "revoked"}),
            R"({"error":"no","error_code":"BadRequest","reason":"revoked","link":"http://l"})");
}

TEST(ErrorBody, HasNoCodeForAnUnknownErrorAndBack) {
  const ErrorBody body = error_body_of(Error(ErrorCode::AppUnknownError, "text"));
  EXPECT_TRUE(body.error_code.empty());
  EXPECT_EQ(to_error(body, 400).code, ErrorCode::AppUnknownError);
  EXPECT_EQ(to_error({"no eyJhbGci.eyJhIjox.c2ln, nor eyJ", "", "", ""}, 400, "eyJhbGci").message,
            "no [token], nor [token]");
  EXPECT_EQ(to_error({"x", "", "", ""}, 400, "eyJhbGci").request_id, "[token]");
  EXPECT_EQ(to_error({"x", "NoSuchName", "", ""}, 400).code, ErrorCode::AppServerError);
}

TEST(ErrorBody, CarriesTheReasonOfAnEndedSession) {
  Error error(ErrorCode::InvalidSession, "invalid session");
  error.reason = EndReason::password_changed;
  const Error back = to_error(error_body_of(error, "http://h/logs?co_id=65f0c0ffee0000000000abcd"), 401);
  EXPECT_EQ(back.code, ErrorCode::InvalidSession);
  EXPECT_EQ(back.remedy, Remedy::log_in_again);
  EXPECT_EQ(back.reason, EndReason::password_changed);
  EXPECT_EQ(back.request_id, "65f0c0ffee0000000000abcd");
  EXPECT_EQ(back.http_status, 401);
}

TEST(ErrorBody, SaysTryAgainForFaultsWithoutAKnownCode) {
  EXPECT_EQ(to_error({"x", "", "", ""}, 503).remedy, Remedy::retry_later);
  EXPECT_EQ(to_error({"x", "", "", ""}, 429).remedy, Remedy::retry_later);
  EXPECT_EQ(to_error({"x", "", "", ""}, 400).remedy, Remedy::fix_request);
}

TEST(ErrorOf, BelievesOnlyOurOwnBodies) {
  const HttpResponse ours{401,
                          {{"Content-Type", "application/json"}, {"X-AppServices-Request-Id", "id"}},
                          R"({"error":"invalid session","error_code":"InvalidSession","reason":"revoked"})"};
  EXPECT_TRUE(has_error_body(ours));
  EXPECT_EQ(error_of(ours).code, ErrorCode::InvalidSession);
  EXPECT_EQ(error_of(ours).request_id, "id");
  const HttpResponse proxy{401, {{"Content-Type", "text/html"}}, "<html>log in to the hotel</html>"};
  EXPECT_FALSE(has_error_body(proxy));
  EXPECT_EQ(error_of(proxy).code, ErrorCode::HTTPError);
  EXPECT_EQ(error_of(proxy).reason, EndReason::none);
  const HttpResponse other_json{401, {{"Content-Type", "application/json"}}, R"({"message":"no"})"};
  EXPECT_FALSE(has_error_body(other_json));
}

TEST(StatusOf, IsTheErrorsOwnElseTheTables) {
  Error error(ErrorCode::UserNotFound, "user not found");
  EXPECT_EQ(status_of(error), 404);
  error.http_status = 400;
  EXPECT_EQ(status_of(error), 400);
  EXPECT_EQ(status_of(Error(ErrorCode::StoreUnavailable, "x")), 500);
}

TEST(FunctionCall, WrapsItsArguments) {
  EXPECT_EQ(write_function_call("sum", R"([{"$numberInt":"1"}])"),
            R"({"name":"sum","arguments":[{"$numberInt":"1"}]})");
  EXPECT_EQ(write_function_call("find", "[]", "mongodb-atlas"),
            R"({"name":"find","arguments":[],"service":"mongodb-atlas"})");
}

}  // namespace
}  // namespace keyturn::protocol

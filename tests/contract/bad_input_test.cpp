// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/json/json.hpp"
#include "tests/contract/exchange_runner.hpp"

// Bodies that nobody should send, at every route that reads one (rows B-65, B-72, B-73).
namespace keyturn::contract {
namespace {

struct Reader {
  std::string_view method;
  std::string_view path;
  std::string_view bearer;
  std::vector<std::string_view> texts;  ///< Members that must be strings.
};

const std::vector<Reader>& client_readers() {
  static const std::vector<Reader> readers{
      {"POST", "${client}/app/${app}/auth/providers/anon-user/login", "", {}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/login", "", {"username", "password"}},
      {"POST", "${client}/app/${app}/auth/providers/api-key/login", "", {"key"}},
      {"POST", "${client}/app/${app}/auth/providers/custom-token/login", "", {"token"}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/register", "", {"email", "password"}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/confirm", "", {"token", "tokenId"}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/confirm/send", "", {"email"}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/confirm/call", "", {"email"}},
      {"POST",
       "${client}/app/${app}/auth/providers/local-userpass/reset",
       "",
       {"token", "tokenId", "password"}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/reset/send", "", {"email"}},
      {"POST", "${client}/app/${app}/auth/providers/local-userpass/reset/call", "", {"email", "password"}},
      {"POST", "${client}/auth/api_keys", "${refresh}", {"name"}},
      {"POST", "${client}/app/${app}/functions/call", "${access}", {"name"}},
  };
  return readers;
}

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override { runner_.run_file("02_login_anonymous.json"); }

  HttpResponse send(const Reader& reader, std::string body) {
    json::Object request{{"method", reader.method}, {"path", reader.path}, {"body_text", std::move(body)}};
    if (!reader.bearer.empty()) request.set("bearer", reader.bearer);
    return runner_.ask(request);
  }

  void expect_refused(const Reader& reader, const std::string& body, int status = 400) {
    const HttpResponse answer = send(reader, body);
    EXPECT_EQ(answer.status, status) << reader.path << " " << body.substr(0, 80) << " -> " << answer.body;
    const auto said = json::parse(answer.body);
    ASSERT_TRUE(said);
    EXPECT_NE(said->string_at("error_code"), "InvalidSession") << reader.path;
    EXPECT_EQ(answer.body.find("sesame"), std::string::npos) << "the input came back: " << answer.body;
  }

  /// Refused for its form, and not for what is missing in it.
  void expect_fault_of_form(const Reader& reader, const std::string& body) {
    expect_refused(reader, body);
    EXPECT_NE(send(reader, body).body.find("at byte"), std::string::npos)
        << reader.path << " " << body.substr(0, 80);
  }

  ContractServer server_;
  ExchangeRunner runner_{server_};
};

TEST_F(BadInput, MalformedJsonIsRefused) {
  const std::vector<std::string> bodies{"{",
                                        "{\"a\":}",
                                        "\xff\xfe",
                                        "{\"a\":\"\xc3\x28\"}",
                                        "{} {}",
                                        "{\"a\":1,}",
                                        "\xef\xbb\xbf{}",
                                        "{\"a\":\"\\ud800\"}",
                                        "{'a':1}",
                                        "sesame",
                                        "{\"sesame\":",
                                        "// x\n{}",
                                        "{\"a\":01}",
                                        "{\"a\":NaN}",
                                        "[",
                                        std::string(1, '\0')};
  for (const Reader& reader : client_readers()) {
    for (const std::string& body : bodies) expect_fault_of_form(reader, body);
  }
}

TEST_F(BadInput, WhatIsNoObjectIsRefused) {
  for (const Reader& reader : client_readers()) {
    for (const std::string body : {"[]", "7", "\"x\"", "null", "true"}) expect_refused(reader, body);
  }
}

TEST_F(BadInput, OtherTypesThanStringsAreRefused) {
  for (const Reader& reader : client_readers()) {
    for (const std::string_view member : reader.texts) {
      for (const char* value :
           {"7", "1.5", "true", "null", "[]", "[\"a\"]", "{}", R"({"$ne":null})", R"({"$gt":""})"}) {
        std::string body = "{";
        for (const std::string_view other : reader.texts) {
          if (other != member) body += "\"" + std::string(other) + "\":\"sesame1\",";
        }
        body += "\"" + std::string(member) + "\":" + value + "}";
        expect_refused(reader, body);
      }
    }
  }
}

TEST_F(BadInput, DuplicateMembersAreRefused) {
  for (const Reader& reader : client_readers()) {
    expect_fault_of_form(reader, R"({"a":1,"a":2})");
    expect_fault_of_form(reader, R"({"a":{"b":1,"\u0062":2}})");
  }
}

std::string nested(int levels) {  // an object counts as the first level
  return "{\"a\":" + std::string(static_cast<std::size_t>(levels - 1), '[') +
         std::string(static_cast<std::size_t>(levels - 1), ']') + "}";
}

TEST_F(BadInput, DepthIsBounded) {
  for (const Reader& reader : client_readers()) {
    const bool is_call = reader.path.find("functions/call") != std::string_view::npos;
    const int most = is_call ? 100 : 32;
    const HttpResponse within = send(reader, nested(most));
    EXPECT_EQ(within.body.find("byte"), std::string::npos)
        << reader.path << " is no fault of form: " << within.body;
    expect_fault_of_form(reader, nested(most + 1));
  }
}

TEST_F(BadInput, SizeIsBounded) {
  for (const Reader& reader : client_readers()) {
    const bool is_call = reader.path.find("functions/call") != std::string_view::npos;
    const std::size_t most = is_call ? std::size_t{18} * 1024 * 1024 : std::size_t{64} * 1024;
    const std::string at_most = "{\"a\":\"" + std::string(most - 8, 'x') + "\"}";
    EXPECT_NE(send(reader, at_most).status, 413) << reader.path;
    expect_refused(reader, at_most + " ", 413);
    const std::string path = substitute(reader.path, runner_.names());
    EXPECT_EQ(server_.api().plan(reader.method, path).max_body_bytes, most) << reader.path;
  }
}

TEST_F(BadInput, TheAdminApiTakesTheLastOfTwoAndPlainNumbersForExtendedOnes) {
  const HttpResponse made = runner_.ask(json::Object{
      {"method", "POST"},
      {"path", "${admin_api}/groups/${group}/apps/${app_id}/functions"},
      {"bearer", "${admin}"},
      {"body_text",
       R"({"name":"a","name":"b","source":"exports = 1","private":null,"n":{"$numberLong":"7"}})"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto said = json::parse(made.body);
  EXPECT_EQ(said->string_at("name"), "b");
  const HttpResponse stored =
      runner_.ask(json::Object{{"path", "${admin_api}/groups/${group}/apps/${app_id}/functions/" +
                                            std::string(*said->string_at("_id"))},
                               {"bearer", "${admin}"}});
  EXPECT_EQ(json::parse(stored.body)->int_at("n"), 7);
}

TEST_F(BadInput, TheAdminApiRefusesWhatIsNoJsonToo) {
  for (const char* body : {"{", "[]", "7", "{\"a\":\"\xff\"}"}) {
    const HttpResponse answer = runner_.ask(json::Object{{"method", "POST"},
                                                         {"path", "${admin_api}/groups/${group}/apps"},
                                                         {"bearer", "${admin}"},
                                                         {"body_text", body}});
    EXPECT_EQ(answer.status, 400) << body << answer.body;
  }
}

}  // namespace
}  // namespace keyturn::contract

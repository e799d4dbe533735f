// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/options.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace keyturn::server::daemon {
namespace {

OptionValues with_data(OptionValues values) {
  values["data"] = "d";
  return values;
}

std::string error_of(const OptionValues& values) {
  const Result<Config> config = make_config(with_data(values));
  return config ? "" : config.error().message;
}

TEST(Options, HaveTheirNameInEachSource) {
  EXPECT_EQ(command_line_name("allow_short_lifetimes"), "--allow-short-lifetimes");
  EXPECT_EQ(environment_name("allow_short_lifetimes"), "KEYTURN_ALLOW_SHORT_LIFETIMES");
}

TEST(Options, AreReadFromEachSourceWithTheCommandLineAboveAll) {
  const std::map<std::string, std::string> environment = {{"KEYTURN_LISTEN", "127.0.0.1:2"},
                                                          {"KEYTURN_THREADS", "2"}};
  const OptionValues from_environment =
      values_from_environment([&](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
      });
  const auto from_file = values_from_json(
      R"({"data":"f","listen":"127.0.0.1:3","threads":3,"allow_short_lifetimes":true,"log_level":"debug"})");
  ASSERT_TRUE(from_file);
  const auto config = make_config(merge(*from_file, from_environment, {{"listen", "127.0.0.1:1"}}));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->port, 1);
  EXPECT_EQ(config->threads, 2U);
  EXPECT_EQ(config->data, "f");
  EXPECT_TRUE(config->allow_short_lifetimes);
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_EQ(config->address, "127.0.0.1");
}

TEST(Options, HaveDefaults) {
  const auto config = make_config(with_data({}));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->address, "127.0.0.1");
  EXPECT_EQ(config->port, 9'090);
  EXPECT_EQ(config->threads, 1U);
  EXPECT_EQ(config->email_dir, "d/email");
  EXPECT_FALSE(config->allow_short_lifetimes);
  EXPECT_FALSE(make_config({}));
}

TEST(Options, RefuseAMemberThatIsUnknownOrOfAnotherKindByItsName) {
  const auto error = [](std::string_view text) { return values_from_json(text).error().message; };
  EXPECT_EQ(error(R"({"lisen":"x"})"), "option lisen: there is no such option");
  EXPECT_EQ(error(R"({"config":"x"})"), "option config: there is no such option");
  EXPECT_EQ(error(R"({"listen":1})"), "option listen: expected a string");
  EXPECT_EQ(error(R"({"threads":"1"})"), "option threads: expected a number");
  EXPECT_EQ(error(R"({"threads":1.5})"), "option threads: expected a number");
  EXPECT_EQ(error(R"({"allow_private_jwks":1})"), "option allow_private_jwks: expected true or false");
  EXPECT_EQ(error("[]"), "expected a JSON object");
  EXPECT_FALSE(values_from_json(R"({"listen":"a","listen":"b"})"));
  EXPECT_FALSE(values_from_json("{"));
}

TEST(Options, CheckTheirValues) {
  EXPECT_EQ(error_of({{"threads", "64"}}), "");
  for (const char* value : {"0", "65", "-1", "x", "", "1 "})
    EXPECT_NE(error_of({{"threads", value}}), "") << value;
  for (const char* value : {"0.0.0.0:0", "[::1]:65535", "localhost:80"})
    EXPECT_EQ(error_of({{"listen", value}}), "") << value;
  for (const char* value : {"", "9090", ":9090", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "::1:80",
                            "host:80", "[127.0.0.1]:80"}) {
    EXPECT_NE(error_of({{"listen", value}}), "") << value;
  }
  for (const char* value : {"http://a", "https://a.b:1"})
    EXPECT_EQ(error_of({{"public_url", value}}), "") << value;
  for (const char* value :
       {"", "a", "ftp://a", "http://", "http://a/", "http://a/b", "http://a b", "http://u@a"}) {
    EXPECT_NE(error_of({{"public_url", value}}), "") << value;
  }
  for (const char* value : {"", "127.0.0.1", "10.0.0.1,::1"})
    EXPECT_EQ(error_of({{"trusted_proxies", value}}), "") << value;
  for (const char* value : {"proxy", "10.0.0.0/8", "10.0.0.1, 10.0.0.2", ",", "10.0.0.1,,10.0.0.2"})
    EXPECT_NE(error_of({{"trusted_proxies", value}}), "") << value;
  EXPECT_NE(error_of({{"log_level", "loud"}}), "");
  EXPECT_NE(error_of({{"allow_short_lifetimes", "yes"}}), "");
  EXPECT_NE(error_of({{"admin_email", "nobody"}}), "");
}

}  // namespace
}  // namespace keyturn::server::daemon

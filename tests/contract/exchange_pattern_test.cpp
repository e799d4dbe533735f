// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/exchange_pattern.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace keyturn::contract {
namespace {

std::string compare(const char* pattern, const char* actual) {
  return difference(*json::parse(pattern), *json::parse(actual), "65f0c0ffee0000000000abcd");
}

TEST(ExchangePattern, TellsAMissingAndAnExtraMember) {
  EXPECT_EQ(compare(R"({"a":1})", R"({"a":1})"), "");
  EXPECT_EQ(compare(R"({"a":1,"b":2})", R"({"a":1})"), "body.b is missing");
  EXPECT_EQ(compare(R"({"a":1})", R"({"a":1,"b":2})"), "body.b should not be there");
  EXPECT_EQ(compare(R"({"a":1,"...":true})", R"({"a":1,"b":2})"), "");
}

TEST(ExchangePattern, TellsAWrongKind) {
  EXPECT_NE(compare(R"("<id>")", R"("65f0c0ffee0000000000abc")"), "");
  EXPECT_EQ(compare(R"("<id>")", R"("65f0c0ffee0000000000abcd")"), "");
  EXPECT_NE(compare(R"("<jwt>")", R"("a.b")"), "");
  EXPECT_NE(compare(R"("<int>")", R"("1")"), "");
  EXPECT_NE(compare(R"("<link>")", R"("http://h/logs?co_id=000000000000000000000000")"), "");
  EXPECT_NE(compare(R"("<contains:unauthorized>")", R"("no")"), "");
  EXPECT_NE(compare("[1]", "[1,2]"), "");
  EXPECT_NE(compare("null", "0"), "");
}

TEST(ExchangePattern, FindsAndReplaces) {
  EXPECT_EQ(substitute(std::string_view("/a/${x}/${y}"), {{"x", "1"}}), "/a/1/${y}");
  const auto value = json::parse(R"({"a":[{"b":"c"}]})");
  ASSERT_NE(value_at(*value, "a.0.b"), nullptr);
  EXPECT_EQ(*value_at(*value, "a.0.b")->as_string(), "c");
  EXPECT_EQ(value_at(*value, "a.1.b"), nullptr);
}

}  // namespace
}  // namespace keyturn::contract

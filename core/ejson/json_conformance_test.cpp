// SPDX-License-Identifier: Apache-2.0
// What is JSON and what is not (RFC 8259), for both readers: that of messages and that of Extended JSON.
// Where the RFC leaves the choice, kChoices is the decision, the same for both unless it says otherwise.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include <keyturn/ejson.hpp>

#include "core/json/json.hpp"

namespace keyturn {
namespace {

using namespace std::string_literals;

bool is_read_by_json(std::string_view text) { return json::parse(text).has_value(); }
bool is_read_by_ejson(std::string_view text) { return Ejson::parse(text).has_value(); }

const std::vector<std::string> kJson = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "123",
    "1.5",
    "-1.5",
    "0.1",
    "1e5",
    "1E5",
    "1e+5",
    "1e-5",
    "1.5e5",
    "0e1",
    "0e+1",
    "-0.0",
    "20e1",
    "1E-2",
    "1E+2",
    "123.456e78",
    "-0.000000000000000000000000000000000000001",
    "9007199254740993",
    "\"\"",
    "\" \"",
    "\"a\"",
    R"("\"")",
    R"("\\")",
    R"("\/")",
    R"("\b\f\n\r\t")",
    R"("\u0000")",
    R"("\u0041")",
    R"("\u00e9")",
    R"("\uD834\uDD1E")",
    R"("\uDBFF\uDFFF")",
    R"("\ud83d\ude39\ud83d\udc8d")",
    R"("\uFFFF")",
    R"("\uFFFE")",
    R"("\u2028")",
    R"("\u200B")",
    R"("\\u0000")",
    R"("\\n")",
    R"("a/*b*/c/*d//e")",
    "\"\xc2\x80\"",
    "\"\xe2\x82\xac\"",
    "\"\xf4\x8f\xbf\xbf\"",
    "\"\xe2\x80\xa8\"",
    "\"\xef\xbf\xbf\"",
    "\"\x7f\"",
    "\"\xef\xbb\xbf\"",
    "[]",
    "[ ]",
    "[[]]",
    "[1,2]",
    "[1, 2 , 3]",
    "[null,true,\"a\"]",
    "[\"\"]",
    "[1\n]",
    " [1]",
    "[2] ",
    "[[[[[]]]]]",
    "[{}]",
    "[1,null,null,null,2]",
    "{}",
    "{ }",
    R"({"a":1})",
    R"({"a":[]})",
    R"({"":0})",
    R"({"a":{"a":{"a":1}}})",
    R"({"a":1,"b":2})",
    "{\n\"a\":\n1\n}",
    "\t\r\n {\"a\" : 1}\t\r\n ",
    R"({"\u0061":1,"b":2})",
    R"({"min":-1.0e+28,"max":1.0e+28})",
};

const std::vector<std::string> kNotJson = {
    "",
    " ",
    "n",
    "nul",
    "nulL",
    "Null",
    "tru",
    "True",
    "fals",
    "NaN",
    "Infinity",
    "-Infinity",
    "+Inf",
    "-NaN",
    "undefined",
    "+1",
    "++1",
    "-",
    "--1",
    "- 1",
    "01",
    "-01",
    "00",
    "012",
    "-012",
    "1.",
    "-2.",
    ".5",
    "-.5",
    "1.e1",
    "2.e+3",
    "2.e-3",
    "0.e1",
    "1e",
    "1E",
    "1e+",
    "1e-",
    "0e",
    "0e+",
    "1.0e",
    "1.0e+",
    "1eE2",
    "1e1.5",
    "1 000.0",
    "0x1",
    "0x42",
    "1x",
    "1a",
    "-1x",
    "1_0",
    "1+2",
    "0.1.2",
    "0.3e",
    "9.e+",
    "\xef\xbc\x91",
    "'a'",
    "a",
    "\"",
    "\"a",
    "a\"",
    "\"\\\"",
    "\"a\\\"",
    R"("\x00")",
    R"("\a")",
    R"("\'")",
    R"("\ ")",
    R"("\u")",
    R"("\u1")",
    R"("\u12")",
    R"("\u123")",
    R"("\u12g4")",
    R"("\uqqqq")",
    R"("\U0041")",
    R"("\u00A")",
    R"("\uD800\u")",
    R"("\uD800\u1")",
    R"("\uD800\u1x")",
    R"("\uD800\")",
    R"("\{[")",
    "\"\t\"",
    "\"\n\"",
    "\"\r\"",
    "\"\x01\"",
    "\"\x1f\"",
    "\"\0\""s,
    "\"\\\xf0\x9f\x8c\x80\"",
    "\"a\"b",
    "\"\"x",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    "[1,,]",
    "[1 2]",
    "[1:2]",
    "[1]]",
    "[[1]",
    "[}",
    "[1}",
    "[\"a",
    "[\"a\"",
    "[a]",
    "[1 true]",
    "[\"a\" \"b\"]",
    "[*]",
    "[-]",
    "[<null>]",
    "<.>",
    "[1]x",
    "[][]",
    "[1],",
    "[x",
    "[1\n,1\n,1",
    "[\xff]",
    "[1\0]"s,
    "{",
    "}",
    "{]",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\" 1}",
    "{\"a\"=1}",
    "{\"a\"::1}",
    "{:1}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{null:1}",
    "{[]:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1}}",
    "{\"a\":1}x",
    "{\"a\":1}#",
    "{\"a\":1}{}",
    "{\"a\":\"b\"",
    "{\"a\":\"b\"]",
    "{\"\":",
    "{\"a\":/*c*/1}",
    "{\"a\":1}//",
    "{\"a\":1}/**/",
    "{\"a\":1}/",
    "// c\n1",
    "/* c */ 1",
    "#1",
    "*",
    "\\u000A",
    "\f1",
    "\v1",
    "\xc2\xa0 1",
    "\xe2\x80\x8b[]",
    "\xe2\x81\xa0[]",
    "1 2",
    "true false",
    "{}{}",
    "\0"s,
    "1\0"s,
    "{}\0"s,
    "\xff",
    "\xe5",
};

struct Choice {
  std::string text;
  bool is_read;
  const char* why;
};
const std::vector<Choice> kChoices = {
    {R"({"a":1,"a":2})", false, "a name twice"},
    {R"({"a":1,"\u0061":2})", false, "a name twice, once escaped"},
    {"\xef\xbb\xbf{}", false, "a byte-order mark"},
    {R"("\uD800")", false, "half a surrogate pair"},
    {R"("\uDC00")", false, "the other half alone"},
    {R"("\uD800\uD800")", false, "two first halves"},
    {R"("\uDd1e\uD834")", false, "halves in the wrong order"},
    {R"("\uD800abc")", false, "half a pair before text"},
    {R"({"\uD800":1})", false, "half a pair in a name"},
    {"\"\xff\"", false, "a byte that is no UTF-8"},
    {"\"\xc0\xaf\"", false, "an overlong form"},
    {"\"\xe0\xff\"", false, "a broken sequence"},
    {"\"\xed\xa0\x80\"", false, "an encoded surrogate"},
    {"\"\xf4\xbf\xbf\xbf\"", false, "beyond the last character"},
    {"\"\x80\"", false, "a continuation alone"},
    {"\"\xc3\"", false, "a sequence that is cut"},
    {"\xff\xfe{\0}\0"s, false, "UTF-16"},
    {"\0{\0}"s, false, "UTF-16 without a mark"},
    {"1e400", false, "no Double holds it"},
    {"-1e400", false, "no Double holds it"},
    {"1e-400", true, "too small: zero"},
    {"123456789012345678901234567890", true, "no Int64 holds it: a Double"},
    {"-9223372036854775809", true, "no Int64 holds it: a Double"},
    {"0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999", false,
     "an exponent without end"},
};

TEST(JsonConformance, BothReadersReadJson) {
  for (const std::string& text : kJson) {
    EXPECT_TRUE(is_read_by_json(text)) << text;
    EXPECT_TRUE(is_read_by_ejson(text)) << text;
  }
}

// BSON ends a name at its first zero.
TEST(JsonConformance, OnlyExtendedJsonRefusesAZeroInAName) {
  EXPECT_TRUE(is_read_by_json(R"({"a\u0000b":42})"));
  EXPECT_FALSE(is_read_by_ejson(R"({"a\u0000b":42})"));
}

TEST(JsonConformance, BothReadersRefuseWhatIsNone) {
  EXPECT_GE(kNotJson.size(), 150U);
  for (const std::string& text : kNotJson) {
    EXPECT_FALSE(is_read_by_json(text)) << text;
    EXPECT_FALSE(is_read_by_ejson(text)) << text;
  }
}

TEST(JsonConformance, BothReadersChooseAsWritten) {
  for (const Choice& each : kChoices) {
    EXPECT_EQ(is_read_by_json(each.text), each.is_read) << each.why << ": " << each.text;
    EXPECT_EQ(is_read_by_ejson(each.text), each.is_read) << each.why << ": " << each.text;
  }
}

TEST(JsonConformance, DepthIsBoundedOneLevelApart) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(is_read_by_json(nested(32)));
  EXPECT_FALSE(is_read_by_json(nested(33)));
  EXPECT_TRUE(is_read_by_ejson(nested(100)));
  EXPECT_FALSE(is_read_by_ejson(nested(101)));
  EXPECT_FALSE(is_read_by_json(std::string(50'000, '[')));
  EXPECT_FALSE(is_read_by_ejson(std::string(100'000, '[')));
}

TEST(JsonConformance, WhatIsReadIsWrittenTheSame) {
  for (const std::string& text : kJson) {
    const auto value = json::parse(text);
    ASSERT_TRUE(value) << text;
    const std::string written = json::write(*value);
    const auto again = json::parse(written);
    ASSERT_TRUE(again) << written;
    EXPECT_EQ(json::write(*again), written);
    EXPECT_EQ(*again, *value) << text;
  }
}

}  // namespace
}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#include "core/json/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace keyturn::json {
namespace {

using namespace std::string_literals;

Value read(std::string_view text) {
  auto value = parse(text);
  EXPECT_TRUE(value) << text << ": " << value.error().message;
  return value ? *std::move(value) : Value();
}

std::string fault(std::string_view text, const Limits& limits = {}) {
  const auto value = parse(text, limits);
  if (value) return "accepted";
  EXPECT_EQ(value.error().code, ErrorCode::BadRequest);
  return value.error().message;
}

std::string nested(int levels, char open, char close) {
  return std::string(static_cast<std::size_t>(levels), open) +
         std::string(static_cast<std::size_t>(levels), close);
}

TEST(JsonParse, ReadsEveryKindOfValue) {
  EXPECT_TRUE(read("null").is_null());
  EXPECT_EQ(read("true"), Value(true));
  EXPECT_EQ(read("false"), Value(false));
  EXPECT_EQ(read(" 12 "), Value(12));
  EXPECT_EQ(read("1.5"), Value(1.5));
  EXPECT_EQ(read(R"("a")"), Value("a"));
  EXPECT_EQ(read("[1,[],{}]"), Value(Array{Value(1), Value(Array{}), Value(Object{})}));
  EXPECT_EQ(read("\t{ \"a\" : 1 ,\r\n\"b\":null}"), Value(Object{{"a", 1}, {"b", nullptr}}));
}

TEST(JsonParse, KeepsTheOrderOfMembers) {
  EXPECT_EQ(write(read(R"({"z":1,"a":2,"m":3})")), R"({"z":1,"a":2,"m":3})");
}

TEST(JsonParse, KeepsIntegersOf64BitsExactAndTakesLargerOnesAsDoubles) {
  EXPECT_EQ(read("9223372036854775807"), Value(std::int64_t{9223372036854775807}));
  EXPECT_EQ(read("-9223372036854775808"), Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(read("9007199254740993"), Value(std::int64_t{9007199254740993}));
  EXPECT_EQ(read("9223372036854775808"), Value(9223372036854775808.0));
  EXPECT_EQ(read("-9223372036854775809"), Value(-9223372036854775809.0));
  EXPECT_EQ(read("18446744073709551616"), Value(18446744073709551616.0));
}

TEST(JsonParse, TakesANumberWithPointOrExponentForADouble) {
  for (const char* const text : {"1.0", "1e0", "10E-1", "0.1e+1"}) {
    const Value value = read(text);
    ASSERT_NE(value.as_double(), nullptr) << text;
    EXPECT_EQ(*value.as_double(), 1.0) << text;
  }
}

TEST(JsonParse, TakesMinusZeroForTheIntegerZeroUnlessItHasAPoint) {
  EXPECT_EQ(read("-0"), Value(0));
  const Value real = read("-0.0");
  ASSERT_NE(real.as_double(), nullptr);
  EXPECT_TRUE(std::signbit(*real.as_double()));
}

TEST(JsonParse, RefusesNumbersThatNoDoubleHolds) {
  EXPECT_EQ(read("1.7976931348623157e308"), Value(1.7976931348623157e308));
  EXPECT_NE(fault("1e309").find("too large"), std::string::npos);
  EXPECT_NE(fault("[-1e309]").find("too large"), std::string::npos);
  EXPECT_NE(fault("1" + std::string(400, '0')).find("too large"), std::string::npos);
  EXPECT_EQ(read("1e-400"), Value(0.0));
}

TEST(JsonParse, ReadsEscapesAndUtf8) {
  EXPECT_EQ(read(R"("\"\\\/\b\f\n\r\t\u0000\u00e4\u20ac\ud83d\ude00")"),
            Value("\"\\/\b\f\n\r\t\0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"s));
  EXPECT_EQ(read("\"\x7f\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\""),
            Value("\x7f\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST(JsonParse, RefusesBytesThatAreNoUtf8) {
  for (const std::string& bytes : {"\x80"s, "\xc0\xaf"s, "\xc1\xbf"s, "\xe0\x80\xaf"s, "\xed\xa0\x80"s,
                                   "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s, "\xc3"s, "\xe2\x82"s}) {
    EXPECT_NE(fault('"' + bytes + '"'), "accepted");
    EXPECT_NE(fault("{\"" + bytes + "\":1}"), "accepted");
  }
  EXPECT_NE(fault("\xef\xbb\xbf{}").find("byte-order mark"), std::string::npos);
}

TEST(JsonParse, RefusesWhatRfc8259DoesNotAllow) {
  for (const char* const text :
       {"",          " ",       "nul",       "True",        "NaN",         "Infinity",    "-",
        "-Infinity", "+1",      "01",        "-01",         "1.",          ".5",          "1e",
        "1e+",       "0x1",     "1_0",       "'a'",         "\"a",         "a\"",         "\"\t\"",
        "\"\n\"",    R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")",
        "[",         "]",       "[1",        "[1,]",        "[,1]",        "[1 2]",       "{",
        "}",         "{a:1}",   R"({"a"})",  R"({"a":})",   R"({"a":1,})", R"({"a" 1})",  R"({1:1})",
        "[]]",       "{}{}",    "1 2",       "[] x",        "// c\n1",     "/* c */ 1",   "[1]#",
        "\f1",       "[}",      "{]"}) {
    EXPECT_NE(fault(text), "accepted") << text;
  }
  for (const std::string& text : {"1\0"s, "\0"s, "1\0x"s, "{}\0{"s, "[1,\0]"s, "\"\0\""s})
    EXPECT_NE(fault(text), "accepted");
}

TEST(JsonParse, BoundsTheSize) {
  const Limits limits{.max_bytes = 10};
  EXPECT_EQ(fault("\"1234567\"", limits), "accepted");
  EXPECT_EQ(fault("\"12345678\"", limits), "accepted");
  EXPECT_EQ(fault("\"123456789\"", limits), "invalid JSON: above the limit of 10 bytes");
  EXPECT_EQ(fault(std::string(64 * 1024 - 2, ' ') + "{}"), "accepted");
  EXPECT_NE(fault(std::string(64 * 1024 - 1, ' ') + "{}"), "accepted");
}

TEST(JsonParse, BoundsTheDepth) {
  EXPECT_EQ(fault(nested(31, '[', ']')), "accepted");
  EXPECT_EQ(fault(nested(32, '[', ']')), "accepted");
  EXPECT_EQ(fault(nested(33, '[', ']')), "invalid JSON: too many nested levels at byte 32");
  std::string objects = "1";
  for (int i = 0; i < 32; ++i) objects = "{\"a\":" + objects + "}";
  EXPECT_EQ(fault(objects), "accepted");
  EXPECT_NE(fault("[" + objects + "]"), "accepted");
  EXPECT_EQ(fault("[" + nested(31, '[', ']') + "," + nested(31, '[', ']') + "]"), "accepted")
      << "siblings are no depth";
  EXPECT_EQ(fault("1", {.max_depth = 0}), "accepted");
  EXPECT_NE(fault("[]", {.max_depth = 0}), "accepted");
  EXPECT_NE(fault(std::string(60'000, '[')), "accepted");
  EXPECT_EQ(fault(nested(100, '[', ']'), {.max_depth = 100}), "accepted");
}

TEST(JsonParse, BoundsTheNumberOfValues) {
  const Limits limits{.max_values = 4};
  EXPECT_EQ(fault("[1,2,3]", limits), "accepted");
  EXPECT_EQ(fault(R"({"a":"x","b":null,"c":1.5})", limits), "accepted");
  EXPECT_EQ(fault("[1,2,3,4]", limits), "invalid JSON: more values than are allowed at byte 8");
  EXPECT_NE(fault("[[],[],[],true]", limits), "accepted");
  EXPECT_NE(fault(R"([{"a":18446744073709551615},2,"x"])", limits), "accepted");
  EXPECT_EQ(fault("1", {.max_values = 0}), "invalid JSON: more values than are allowed at byte 0");
}

TEST(JsonParse, RefusesANameTwiceInOneObject) {
  EXPECT_EQ(fault(R"({"a":1,"a":1})"),
            "invalid JSON: a member name twice in the object that ends at byte 12");
  EXPECT_NE(fault(R"({"a":1,"b":2,"\u0061":3})"), "accepted") << "an escape is the same name";
  EXPECT_NE(fault(R"([{"x":{"a":1,"a":2}}])"), "accepted");
  EXPECT_NE(fault(R"({"":1,"":2})"), "accepted");
  EXPECT_EQ(fault(R"({"a":1,"A":2,"a ":3,"b":{"a":1}})"), "accepted");
  for (const int size : {12, 13, 500}) {
    std::string members;
    for (int i = 0; i < size - 1; ++i) members += "\"n" + std::to_string(i) + "\":1,";
    EXPECT_EQ(fault("{" + members + "\"x\":1}"), "accepted") << size;
    EXPECT_NE(fault("{" + members + "\"n0\":1}"), "accepted") << size;
    EXPECT_NE(fault("{" + members + "\"n" + std::to_string(size - 2) + "\":1}"), "accepted") << size;
  }
}

TEST(JsonParse, TakesTheLastOfANameWhereThatIsAllowed) {
  const Limits limits{.duplicates = DuplicateNames::last_wins};
  EXPECT_EQ(write(*parse(R"({"a":1,"b":2,"a":3,"c":4,"b":5,"a":6})", limits)), R"({"a":6,"b":5,"c":4})");
  std::string many = "{\"a\":0";
  for (int i = 1; i < 100; ++i) many += ",\"a\":" + std::to_string(i);
  EXPECT_EQ(write(*parse(many + "}", limits)), R"({"a":99})");
}

TEST(JsonParse, NamesTheByteAndNeverTheContent) {
  EXPECT_EQ(fault("[1,x]"), "invalid JSON: a syntax error or bytes that are no UTF-8 at byte 3");
  for (const char* const text : {R"({"password":"hunter2)", R"(hunter2)", R"(["hunter2" "hunter2"])",
                                 R"({"hunter2":1,"hunter2":2})"}) {
    EXPECT_EQ(fault(text).find("hunter2"), std::string::npos) << text;
    EXPECT_NE(fault(text).find("byte"), std::string::npos) << text;
  }
}

TEST(JsonParse, StaysQuickOverManyMembers) {
  std::string text = "{\"a\":0";
  for (int i = 0; i < 200'000; ++i) text += ",\"" + std::to_string(i) + "\":0";
  const auto value = parse(text + "}", {.max_bytes = 16 << 20});  // a quadratic search would take minutes
  ASSERT_TRUE(value);
  EXPECT_EQ(value->as_object()->size(), 200'001U);
}

TEST(JsonWrite, WritesEveryKindOfValue) {
  EXPECT_EQ(write(Value()), "null");
  EXPECT_EQ(write(Value(Array{true, false, -5, 2.5, "x", nullptr, Array{}, Object{}})),
            R"([true,false,-5,2.5,"x",null,[],{}])");
  EXPECT_EQ(write(Value(Object{{"b", 1}, {"a", Object{{"c", Array{1, 2}}}}})), R"({"b":1,"a":{"c":[1,2]}})");
  EXPECT_EQ(write(Value(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
}

TEST(JsonWrite, KeepsDoublesDoublesAndExact) {
  EXPECT_EQ(write(Value(1.0)), "1.0");
  EXPECT_EQ(write(Value(-0.0)), "-0.0");
  EXPECT_EQ(write(Value(0.1)), "0.1");
  for (const double number :
       {1e300, 5e-324, 1.7976931348623157e308, 123456789.125, 1e15, 1e16, 9223372036854775808.0}) {
    EXPECT_EQ(read(write(Value(number))), Value(number)) << number;
  }
  EXPECT_EQ(write(Value(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(write(Value(std::nan(""))), "null");
}

TEST(JsonWrite, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(write(Value("\"\\/\b\f\n\r\t\x01\x1f\x7f\0"s)), R"("\"\\/\b\f\n\r\t\u0001\u001f)"
                                                            "\x7f"
                                                            R"(\u0000")");
  EXPECT_EQ(write(Value("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

TEST(JsonWrite, PutsAReplacementForBytesThatAreNoUtf8) {
  for (const std::string& bytes :
       {"\x80"s, "\xff"s, "\xc0\xaf"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\xe2\x82"s, "a\xc3"s}) {
    const std::string text = write(Value(bytes));
    EXPECT_TRUE(parse(text)) << text;
    EXPECT_NE(text.find("\xef\xbf\xbd"), std::string::npos);
  }
  std::string every;
  for (int i = 0; i < 256; ++i) every.push_back(static_cast<char>(i));
  EXPECT_TRUE(parse(write(Value(every))));
}

TEST(JsonObject, FindsSetsAndErases) {
  Object object{{"a", 1}, {"b", 2}, {"a", 3}};
  EXPECT_EQ(object.size(), 2U);
  EXPECT_EQ(*object.find("a"), Value(3));
  object.set("c", 4);
  object.set("b", "x");
  EXPECT_EQ(write(Value(object)), R"({"a":3,"b":"x","c":4})");
  EXPECT_TRUE(object.erase("a"));
  EXPECT_FALSE(object.erase("a"));
  EXPECT_FALSE(object.contains("a"));
  EXPECT_EQ(object.find("a"), nullptr);
}

TEST(JsonValue, GivesMembersOfTheRightKindOnly) {
  const Value value = read(R"({"s":"x","i":5,"d":5.0,"b":true,"n":null})");
  EXPECT_EQ(value.string_at("s"), "x");
  EXPECT_EQ(value.string_at("i"), std::nullopt);
  EXPECT_EQ(value.int_at("i"), 5);
  EXPECT_EQ(value.int_at("d"), std::nullopt);
  EXPECT_EQ(value.int_at("b"), std::nullopt);
  EXPECT_EQ(value.bool_at("b"), true);
  EXPECT_EQ(value.bool_at("n"), std::nullopt);
  EXPECT_EQ(value.string_at("absent"), std::nullopt);
  EXPECT_EQ(Value(5).find("x"), nullptr);
  EXPECT_NE(Value(1), Value(1.0)) << "integers and other numbers are kept apart";
}

}  // namespace
}  // namespace keyturn::json

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <keyturn/ejson.hpp>

#include "core/ejson/bson.hpp"
#include "core/ejson/iso_date.hpp"

namespace keyturn {
namespace {

Ejson parsed(std::string_view text) {
  auto value = Ejson::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value ? std::move(*value) : Ejson();
}

// One of each type, in the canonical format, as it must come out again.
const char* const kCanonical[] = {
    R"({"a":{"$numberInt":"-2147483648"}})",
    R"({"a":{"$numberLong":"9223372036854775807"}})",
    R"({"a":{"$numberDouble":"1.5"}})",
    R"({"a":{"$numberDouble":"1.0"}})",
    R"({"a":{"$numberDouble":"-0.0"}})",
    R"({"a":{"$numberDouble":"NaN"}})",
    R"({"a":{"$numberDouble":"Infinity"}})",
    R"({"a":{"$numberDouble":"-Infinity"}})",
    R"({"a":{"$numberDecimal":"0.10"}})",
    R"({"a":{"$numberDecimal":"1.000000000000000000000000000000000E+6144"}})",
    R"({"a":{"$oid":"65f0c0ffee0000000000abcd"}})",
    R"({"a":{"$date":{"$numberLong":"-1"}}})",
    R"({"a":{"$binary":{"base64":"AQI=","subType":"00"}}})",
    R"({"a":{"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"04"}}})",
    R"({"a":{"$regularExpression":{"pattern":"^a/\"b","options":"im"}}})",
    R"({"a":{"$timestamp":{"t":4294967295,"i":1}}})",
    R"({"a":{"$minKey":1},"b":{"$maxKey":1},"c":{"$undefined":true}})",
    R"({"a":null,"b":true,"c":"x","d":{},"e":[],"f":[{"g":[]}]})",
};

TEST(Ejson, CanonicalTextSurvivesARoundTrip) {
  for (const char* text : kCanonical) EXPECT_EQ(parsed(text).to_canonical(), text);
}

TEST(Ejson, BytesSurviveARoundTrip) {
  for (const char* text : kCanonical) {
    const Ejson value = parsed(text);
    const auto bytes = ejson::to_bson(*value.get_if<EjsonDocument>());
    ASSERT_TRUE(bytes.has_value()) << text;
    const auto again = ejson::from_bson(*bytes);
    ASSERT_TRUE(again.has_value()) << text;
    EXPECT_EQ(Ejson(*again).to_canonical(), text);
  }
}

TEST(Ejson, BytesAreThoseOfTheBsonSpecification) {
  // The first example of bsonspec.org/faq: {"hello": "world"}.
  const auto bytes = ejson::to_bson(EjsonDocument{{"hello", "world"}});
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(*bytes, std::string("\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00", 22));
}

TEST(Ejson, PlainNumbersTakeTheSmallestFittingType) {
  EXPECT_EQ(parsed("2147483647"), Ejson(std::int32_t{2147483647}));
  EXPECT_EQ(parsed("2147483648"), Ejson(std::int64_t{2147483648}));
  EXPECT_EQ(parsed("-2147483649"), Ejson(std::int64_t{-2147483649}));
  EXPECT_EQ(parsed("9223372036854775807"), Ejson(std::int64_t{9223372036854775807}));
  EXPECT_EQ(parsed("9223372036854775808"), Ejson(9223372036854775808.0));
  EXPECT_EQ(parsed("1.5"), Ejson(1.5));
}

TEST(Ejson, DatesAreReadInEveryForm) {
  EXPECT_EQ(parsed(R"({"$date":"1970-01-01T00:00:00Z"})"), Ejson(BsonDate{0}));
  EXPECT_EQ(parsed(R"({"$date":"2012-12-24T12:15:30.501+01:00"})"), Ejson(BsonDate{1356347730501}));
  EXPECT_EQ(parsed(R"({"$date":{"$numberLong":"1356351330501"}})"), Ejson(BsonDate{1356351330501}));
  EXPECT_EQ(parsed(R"({"$date":1356351330501})"), Ejson(BsonDate{1356351330501}));
}

TEST(Ejson, RelaxedTextIsPlainWhereThatIsExact) {
  EXPECT_EQ(
      parsed(R"({"a":{"$numberLong":"7"},"b":{"$numberDouble":"1.5"},"c":{"$date":{"$numberLong":"1000"}}})")
          .to_relaxed(),
      R"({"a":7,"b":1.5,"c":{"$date":"1970-01-01T00:00:01Z"}})");
  EXPECT_EQ(Ejson(BsonDate{1356351330501}).to_relaxed(), R"({"$date":"2012-12-24T12:15:30.501Z"})");
  EXPECT_EQ(Ejson(BsonDate{-1}).to_relaxed(), R"({"$date":{"$numberLong":"-1"}})");
  EXPECT_EQ(Ejson(BsonDate{253402300799999}).to_relaxed(), R"({"$date":"9999-12-31T23:59:59.999Z"})");
  EXPECT_EQ(Ejson(BsonDate{253402300800000}).to_relaxed(), R"({"$date":{"$numberLong":"253402300800000"}})");
  EXPECT_EQ(Ejson(std::numeric_limits<double>::infinity()).to_relaxed(), R"({"$numberDouble":"Infinity"})");
}

TEST(Ejson, QueryOperatorsAreDocumentsNotWrappers) {
  const Ejson query = parsed(R"({"$gt":{"$numberInt":"1"}})");
  ASSERT_NE(query.get_if<EjsonDocument>(), nullptr);
  EXPECT_EQ(*query.find("$gt"), Ejson(1));
  EXPECT_NE(parsed(R"({"$regex":"^a","$options":"i"})").get_if<EjsonDocument>(), nullptr);
}

TEST(Ejson, UuidIsBinaryOfSubtypeFour) {
  EXPECT_EQ(parsed(R"({"$uuid":"00010203-0405-0607-0809-0a0b0c0d0e0f"})"),
            Ejson(BsonBinary{std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16), 4}));
}

TEST(Ejson, MalformedWrappersAreRefused) {
  for (const char* text : {R"({"$numberInt":1})",
                           R"({"$numberInt":"2147483648"})",
                           R"({"$numberInt":""})",
                           R"({"$numberInt":"1x"})",
                           R"({"$numberLong":"9223372036854775808"})",
                           R"({"$numberLong":" 1"})",
                           R"({"$numberDouble":"inf"})",
                           R"({"$numberDouble":"nan"})",
                           R"({"$numberDouble":"1.5 "})",
                           R"({"$numberDecimal":"x"})",
                           R"({"$numberDecimal":1})",
                           R"({"$oid":"65f0c0ffee0000000000abc"})",
                           R"({"$oid":"65f0c0ffee0000000000abcg"})",
                           R"({"$oid":7})",
                           R"({"$date":"1970-01-01"})",
                           R"({"$date":"1970-13-01T00:00:00Z"})",
                           R"({"$date":"1970-02-30T00:00:00Z"})",
                           R"({"$date":"1970-01-01T24:00:00Z"})",
                           R"({"$date":true})",
                           R"({"$date":{"$numberLong":"x"}})",
                           R"({"$binary":{"base64":"AQI","subType":"00"}})",
                           R"({"$binary":{"base64":"AQI=","subType":"0g"}})",
                           R"({"$binary":{"base64":"AQI="}})",
                           R"({"$binary":"AQI="})",
                           R"({"$uuid":"00010203-0405-0607-0809-0a0b0c0d0e0"})",
                           R"({"$uuid":"0001020304050607-0809-0a0b0c0d0e0f01"})",
                           R"({"$timestamp":{"t":-1,"i":0}})",
                           R"({"$timestamp":{"t":4294967296,"i":0}})",
                           R"({"$regularExpression":{"pattern":"a"}})",
                           R"({"$minKey":2})",
                           R"({"$undefined":false})",
                           R"({"$code":"1"})",
                           R"({"a":1,"a":2})",
                           "{",
                           ""}) {
    EXPECT_FALSE(Ejson::parse(text).has_value()) << text;
  }
}

TEST(Ejson, DepthIsBoundedAtOneHundred) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(Ejson::parse(nested(100)).has_value());
  EXPECT_FALSE(Ejson::parse(nested(101)).has_value());
}

TEST(Ejson, DamagedBytesAreRefused) {
  const auto bytes = ejson::to_bson(EjsonDocument{{"a", "text"}, {"b", EjsonDocument{{"c", 1.5}}}});
  ASSERT_TRUE(bytes.has_value());
  for (std::size_t length = 0; length < bytes->size(); ++length)
    EXPECT_FALSE(ejson::from_bson(bytes->substr(0, length)).has_value());
  EXPECT_FALSE(ejson::to_bson(EjsonDocument{{std::string("a\0b", 3), 1}}).has_value());
}

TEST(Ejson, BytesThatAreNotUtf8AreRefusedAndNulBytesInTextAreKept) {
  for (const EjsonDocument& text :
       {EjsonDocument{{"a", std::string("x\xff")}}, EjsonDocument{{"a", BsonRegex{"x\xff", ""}}},
        EjsonDocument{{"x\xff", 1}}}) {
    const auto bytes = ejson::to_bson(text);
    EXPECT_FALSE(bytes.has_value() && ejson::from_bson(*bytes).has_value());
  }
  const EjsonDocument with_nul{{"a", std::string("x\0y", 3)}};
  EXPECT_EQ(*ejson::from_bson(*ejson::to_bson(with_nul)), with_nul);
}

TEST(Ejson, NumbersConvertOnlyWhenExact) {
  EXPECT_EQ(Ejson(1.0).to_int64(), 1);
  EXPECT_EQ(Ejson(1.5).to_int64(), std::nullopt);
  EXPECT_EQ(Ejson(9223372036854775808.0).to_int64(), std::nullopt);
  EXPECT_EQ(Ejson(-9223372036854775808.0).to_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Ejson(*Decimal128::from_string("42")).to_int64(), 42);
  EXPECT_EQ(Ejson(*Decimal128::from_string("4.2E+1")).to_double(), 42.0);
  EXPECT_EQ(Ejson("1").to_int64(), std::nullopt);
}

TEST(ObjectId, ReadsAndWritesHexadecimal) {
  EXPECT_EQ(ObjectId::from_hex("65F0c0ffee0000000000abcd")->to_hex(), "65f0c0ffee0000000000abcd");
  EXPECT_EQ(ObjectId::from_hex("65f0c0ffee0000000000abc"), std::nullopt);
  EXPECT_EQ(ObjectId::from_hex("65f0c0ffee0000000000abcd0"), std::nullopt);
  EXPECT_EQ(ObjectId::from_hex("123456789012"), std::nullopt);
}

}  // namespace
}  // namespace keyturn

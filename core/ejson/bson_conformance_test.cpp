// SPDX-License-Identifier: Apache-2.0
// BSON bytes against canonical Extended JSON, type by type (bsonspec.org, and the page "Extended JSON" of
// MongoDB's specifications): what each means, which bytes are damaged, and which texts are none.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <keyturn/ejson.hpp>

#include "core/ejson/bson.hpp"

namespace keyturn {
namespace {

std::string bytes_of(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return out;
}

std::string hex_of(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

struct Pair {
  const char* bytes;
  const char* text;
};
const Pair kPairs[] = {
    {"0500000000", "{}"},
    {"0C0000001061000000000000", R"({"a":{"$numberInt":"0"}})"},
    {"0C000000106100FFFFFF7F00", R"({"a":{"$numberInt":"2147483647"}})"},
    {"10000000126100000000000000008000", R"({"a":{"$numberLong":"-9223372036854775808"}})"},
    {"10000000126100FFFFFFFFFFFFFF7F00", R"({"a":{"$numberLong":"9223372036854775807"}})"},
    {"10000000126100FFFFFFFFFFFFFFFF00", R"({"a":{"$numberLong":"-1"}})"},
    {"10000000016100000000000000F03F00", R"({"a":{"$numberDouble":"1.0"}})"},
    {"10000000016100000000000000F0BF00", R"({"a":{"$numberDouble":"-1.0"}})"},
    {"10000000016100000000000000000000", R"({"a":{"$numberDouble":"0.0"}})"},
    {"10000000016100000000000000008000", R"({"a":{"$numberDouble":"-0.0"}})"},
    {"10000000016100000000000000F87F00", R"({"a":{"$numberDouble":"NaN"}})"},
    {"10000000016100000000000000F07F00", R"({"a":{"$numberDouble":"Infinity"}})"},
    {"10000000016100000000000000F0FF00", R"({"a":{"$numberDouble":"-Infinity"}})"},
    {"0D000000026100010000000000", R"({"a":""})"},
    {"0E00000002610002000000620000", R"({"a":"b"})"},
    {"190000000261000D000000C3A9C3A9C3A9C3A9C3A9C3A90000", R"({"a":"éééééé"})"},
    {"190000000261000D0000006162006261620062616261620000", R"({"a":"ab\u0000bab\u0000babab"})"},
    {"0D000000036100050000000000", R"({"a":{}})"},
    {"0D000000046100050000000000", R"({"a":[]})"},
    {"140000000461000C0000001030000A0000000000", R"({"a":[{"$numberInt":"10"}]})"},
    {"0D000000056100000000000000", R"({"a":{"$binary":{"base64":"","subType":"00"}}})"},
    {"0F0000000561000200000000FFFF00", R"({"a":{"$binary":{"base64":"//8=","subType":"00"}}})"},
    {"1D000000056100100000000473FFD26444B34C6990E8E7D1DFC035D400",
     R"({"a":{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}})"},
    {"0F0000000561000200000080FFFF00", R"({"a":{"$binary":{"base64":"//8=","subType":"80"}}})"},
    {"1400000007610056E1FC72E0C917E9C471416100", R"({"a":{"$oid":"56e1fc72e0c917e9c4714161"}})"},
    {"090000000861000000", R"({"a":false})"},
    {"090000000861000100", R"({"a":true})"},
    {"10000000096100000000000000000000", R"({"a":{"$date":{"$numberLong":"0"}}})"},
    {"10000000096100FFFFFFFFFFFFFFFF00", R"({"a":{"$date":{"$numberLong":"-1"}}})"},
    {"080000000A610000", R"({"a":null})"},
    {"0A0000000B6100000000", R"({"a":{"$regularExpression":{"pattern":"","options":""}}})"},
    {"0F0000000B610061626300696D0000", R"({"a":{"$regularExpression":{"pattern":"abc","options":"im"}}})"},
    {"10000000116100010000000200000000", R"({"a":{"$timestamp":{"t":2,"i":1}}})"},
    {"10000000116100FFFFFFFFFFFFFFFF00", R"({"a":{"$timestamp":{"t":4294967295,"i":4294967295}}})"},
    {"08000000FF610000", R"({"a":{"$minKey":1}})"},
    {"080000007F610000", R"({"a":{"$maxKey":1}})"},
    {"0800000006610000", R"({"a":{"$undefined":true}})"},
    {"180000001364000000000000000000000000000000403000", R"({"d":{"$numberDecimal":"0"}})"},
    {"180000001364000A0000000000000000000000000040B000", R"({"d":{"$numberDecimal":"-10"}})"},
    {"180000001364000000000000000000000000000000007C00", R"({"d":{"$numberDecimal":"NaN"}})"},
    {"180000001364000000000000000000000000000000007800", R"({"d":{"$numberDecimal":"Infinity"}})"},
    {"18000000136400000000000000000000000000000000F800", R"({"d":{"$numberDecimal":"-Infinity"}})"},
};

TEST(BsonConformance, BytesAndTextSayTheSame) {
  int shown = 0;
  for (const auto& [bytes, text] : kPairs) {
    const auto from_bytes = ejson::from_bson(bytes_of(bytes));
    ASSERT_TRUE(from_bytes) << bytes << " " << text << ": " << from_bytes.error().message;
    EXPECT_EQ(Ejson(*from_bytes).to_canonical(), text) << bytes;
    const auto from_text = Ejson::parse(text);
    ASSERT_TRUE(from_text) << text;
    const auto written = ejson::to_bson(*from_text->get_if<EjsonDocument>());
    ASSERT_TRUE(written) << text;
    EXPECT_EQ(hex_of(*written), bytes) << text;
    ++shown;
  }
  EXPECT_GE(shown, 40);
}

TEST(BsonConformance, DamagedBytesAreRefused) {
  for (const char* bytes : {
           "",
           "00",
           "05000000",                            // no end
           "0400000000",                          // a length below the least
           "0600000000",                          // a length beyond the bytes
           "050000000000",                        // bytes behind the end
           "0500000001",                          // the end is no zero
           "0C00000010610000000000",              // an Int32 that is cut
           "0F0000001261000000000000000000",      // an Int64 of seven bytes
           "0F0000000161000000000000000000",      // a Double of seven bytes
           "0C0000000261000000000000",            // a string of length zero
           "0C000000026100FFFFFFFF00",            // a string of negative length
           "0E00000002610003000000620000",        // a string longer than it is
           "0E00000002610002000000626200",        // a string without its zero
           "0E00000002610002000000E90000",        // a string that is no UTF-8
           "0D0000000361000600000000 00",         // a document longer than it is
           "0D000000036100040000000000",          // a document shorter than any
           "0D000000056100FFFFFFFF0000",          // binary of negative length
           "0F0000000561000300000000FFFF00",      // binary longer than it is
           "1100000007610056E1FC72E0C917E9C471",  // an ObjectId that is cut
           "090000000861000200",                  // a boolean of 2
           "09000000086100FF00",                  // a boolean of -1
           "0900000014610000",                    // no such type
           "08000000806100 00",                   // no such type
           "0B0000000B6100616263 00",             // a regular expression without options
           "0700000010610 0",                     // a name and nothing else
           "0C00000010FF000000000000",            // a name that is no UTF-8
       }) {
    std::string hex;
    for (const char* c = bytes; *c != 0; ++c) {
      if (*c != ' ') hex += *c;
    }
    EXPECT_FALSE(ejson::from_bson(bytes_of(hex)).has_value()) << bytes;
  }
}

TEST(BsonConformance, TypesWithoutAPlaceAreRefusedAndNeverGuessed) {
  EXPECT_FALSE(ejson::from_bson(bytes_of("0E0000000D610002000000620000")).has_value()) << "code";
  EXPECT_FALSE(ejson::from_bson(bytes_of("1A0000000C610002000000620056E1FC72E0C917E9C471416100")).has_value())
      << "DBPointer";
  for (const char* text :
       {R"({"a":{"$code":"1"}})", R"({"a":{"$code":"1","$scope":{}}})", R"({"a":{"$symbol":5}})",
        R"({"a":{"$symbol":"b"}})",
        R"({"a":{"$dbPointer":{"$ref":"b","$id":{"$oid":"56e1fc72e0c917e9c4714161"}}}})"}) {
    EXPECT_FALSE(Ejson::parse(text).has_value()) << text;
  }
}

TEST(BsonConformance, RelaxedAndOlderFormsReadAsTheCanonicalOnes) {
  struct Form {
    const char* given;
    const char* canonical;
  };
  for (const auto& [given, canonical] : {
           Form{"1", R"({"$numberInt":"1"})"},
           Form{"-2147483649", R"({"$numberLong":"-2147483649"})"},
           Form{"1.0", R"({"$numberDouble":"1.0"})"},
           Form{"1e3", R"({"$numberDouble":"1000.0"})"},
           Form{R"({"$date":"2012-12-24T12:15:30.501Z"})", R"({"$date":{"$numberLong":"1356351330501"}})"},
           Form{R"({"$date":"1970-01-01T00:00:00Z"})", R"({"$date":{"$numberLong":"0"}})"},
           Form{R"({"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035d4"})",
                R"({"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}})"},
           Form{R"({"$numberDecimal":"1E+3"})", R"({"$numberDecimal":"1E+3"})"},
           Form{R"({"$numberDecimal":"1.000"})", R"({"$numberDecimal":"1.000"})"},
           Form{R"({"$numberDecimal":"-0"})", R"({"$numberDecimal":"-0"})"},
       }) {
    const auto value = Ejson::parse(given);
    ASSERT_TRUE(value) << given;
    EXPECT_EQ(value->to_canonical(), canonical);
  }
}

TEST(BsonConformance, TextsThatAreNoExtendedJsonAreRefused) {
  for (const char* text : {
           R"({"$numberInt":"1","x":2})",
           R"({"$numberInt":""})",
           R"({"$numberInt":"-"})",
           R"({"$numberInt":"0x1"})",
           R"({"$numberInt":"1.0"})",
           R"({"$numberInt":"2147483648"})",
           R"({"$numberInt":"-2147483649"})",
           R"({"$numberInt":true})",
           R"({"$numberLong":"9223372036854775808"})",
           R"({"$numberLong":"1e3"})",
           R"({"$numberLong":null})",
           R"({"$numberDouble":"abc"})",
           R"({"$numberDouble":""})",
           R"({"$numberDouble":"1.0x"})",
           R"({"$numberDouble":[]})",
           R"({"$numberDecimal":""})",
           R"({"$numberDecimal":"1E"})",
           R"({"$numberDecimal":"1E6145"})",
           R"({"$numberDecimal":"."})",
           R"({"$numberDecimal":"1.2.3"})",
           R"({"$numberDecimal":"12345678901234567890123456789012345"})",
           R"({"$oid":""})",
           R"({"$oid":"56e1fc72e0c917e9c471416"})",
           R"({"$oid":"56e1fc72e0c917e9c47141610"})",
           R"({"$oid":"56e1fc72e0c917e9c471416z"})",
           R"({"$oid":"56e1fc72e0c917e9c4714161","x":1})",
           R"({"$binary":{"base64":5,"subType":"00"}})",
           R"({"$binary":{"base64":"","subType":0}})",
           R"({"$binary":{"base64":"","subType":"000"}})",
           R"({"$binary":{"base64":"*","subType":"00"}})",
           R"({"$binary":{"base64":"","subType":"00","x":1}})",
           R"({"$date":{"$numberLong":"1","x":1}})",
           R"({"$date":""})",
           R"({"$date":null})",
           R"({"$timestamp":{"t":1}})",
           R"({"$timestamp":{"i":1}})",
           R"({"$timestamp":{"t":"1","i":1}})",
           R"({"$timestamp":{"t":1,"i":1,"x":1}})",
           R"({"$regularExpression":{"options":""}})",
           R"({"$regularExpression":{"pattern":1,"options":""}})",
           R"({"$regularExpression":{"pattern":"a","options":1}})",
           R"({"$minKey":0})",
           R"({"$minKey":true})",
           R"({"$maxKey":"1"})",
           R"({"$undefined":1})",
           R"({"$uuid":""})",
           R"({"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035dg"})",
           R"({"$uuid":1})",
       }) {
    EXPECT_FALSE(Ejson::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace keyturn

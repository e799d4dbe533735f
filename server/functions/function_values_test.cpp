// SPDX-License-Identifier: Apache-2.0
// Arguments and results: which values a function gets for Extended JSON, and what its own become
// (functions.md 3).
#include "server/functions/testing/runtime_fixture.hpp"

namespace keyturn::server::functions {
namespace {

using testing::ejson;

class FunctionValuesTest : public testing::RuntimeTest {};

TEST_F(FunctionValuesTest, GivesResultsAsCanonicalEjson) {
  start();
  EXPECT_EQ(answer("exports = () => {}"), R"({"$undefined":true})");
  EXPECT_EQ(answer("exports = () => null"), "null");
  EXPECT_EQ(
      answer("exports = () => [1, 1.5, -0, NaN, Infinity, 1e300, 2**53]"),
      R"([{"$numberLong":"1"},{"$numberDouble":"1.5"},{"$numberDouble":"-0.0"},{"$numberDouble":"NaN"},)"
      R"({"$numberDouble":"Infinity"},{"$numberDouble":"1e+300"},{"$numberLong":"9007199254740992"}])");
  EXPECT_EQ(
      answer("exports = () => ({u: undefined, f() {}, d: new Date(5), big: 2n**62n, r: /a/i})"),
      R"({"u":{"$undefined":true},"d":{"$date":{"$numberLong":"5"}},"big":{"$numberLong":"4611686018427387904"},)"
      R"("r":{"$regularExpression":{"pattern":"a","options":"i"}}})");
  EXPECT_EQ(answer("exports = () => [new BSON.Int32(1), new BSON.Double(2), '\\ud800', '\\u0000']"),
            "[{\"$numberInt\":\"1\"},{\"$numberDouble\":\"2.0\"},\"\xEF\xBF\xBD\",\"\\u0000\"]");
}

TEST_F(FunctionValuesTest, GivesBackEveryTypeAsItCame) {
  start();
  for (const char* text :
       {R"({"$oid":"507f1f77bcf86cd799439011"})",
        R"({"$numberLong":"9223372036854775807"})",
        R"({"$numberLong":"-9223372036854775808"})",
        R"({"$numberDouble":"1.5"})",
        R"({"$numberDecimal":"1.50"})",
        R"({"$date":{"$numberLong":"-1"}})",
        R"({"$binary":{"base64":"AAEC/w==","subType":"00"}})",
        R"({"$binary":{"base64":"","subType":"80"}})",
        R"({"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}})",
        R"({"$timestamp":{"t":4294967295,"i":7}})",
        R"({"$regularExpression":{"pattern":"a/b","options":"ix"}})",
        R"({"$regularExpression":{"pattern":"a/b","options":"i"}})",
        R"({"$regularExpression":{"pattern":"a\\/b","options":""}})",
        R"({"$regularExpression":{"pattern":"","options":""}})",
        R"({"$regularExpression":{"pattern":"a\nb","options":"m"}})",
        R"x({"$regularExpression":{"pattern":"(?P<n>x)","options":""}})x",
        R"({"$date":{"$numberLong":"8640000000000000"}})",
        R"({"$date":{"$numberLong":"8640000000000001"}})",
        R"({"$date":{"$numberLong":"-9223372036854775808"}})",
        R"({"a":{"$symbol":"s"},"b":[{"$symbol":""}]})",
        R"({"$code":"f"})",
        R"({"$minKey":1})",
        R"({"$maxKey":1})",
        R"({"$undefined":true})",
        "null",
        "true",
        R"("")",
        R"({"a":{"b":[{"$oid":"507f1f77bcf86cd799439011"}]},"__proto__":{"x":true},"constructor":"c"})",
        "[]",
        "{}",
        R"({"$set":{"a":"b"},"$inc":{"n":"1"}})"}) {
    EXPECT_EQ(answer("exports = (x) => x", {ejson(text)}), text);
  }
}

TEST_F(FunctionValuesTest, KeepsTheValueOfAPlainIntegerOf64Bits) {
  start();
  EXPECT_EQ(
      answer("exports = (...all) => [...all, all[0] instanceof BSON.Long, all[1] + 1]",
             {ejson("9007199254740993"), ejson("5"), ejson(R"({"n":[-9223372036854775808]})")}),
      R"([{"$numberLong":"9007199254740993"},{"$numberLong":"5"},{"n":[{"$numberLong":"-9223372036854775808"}]},)"
      R"(true,{"$numberLong":"6"}])");
}

TEST_F(FunctionValuesTest, RefusesMalformedExtendedJson) {
  start();
  for (const char* text : {
           R"({"$oid":"zz"})",
           R"({"$oid":"507f1f77bcf86cd799439011","x":1})",
           R"({"x":1,"$oid":"507f1f77bcf86cd799439011"})",
           R"({"$numberInt":"99999999999"})",
           R"({"$numberInt":"2147483648"})",
           R"({"$numberInt":""})",
           R"({"$numberInt":"1.5"})",
           R"({"$numberInt":1})",
           R"({"$numberLong":"9223372036854775808"})",
           R"({"$numberLong":"0x10"})",
           R"({"$numberLong":""})",
           R"({"$numberDouble":"inf"})",
           R"({"$numberDouble":""})",
           R"({"$numberDouble":"0x1"})",
           R"({"$numberDecimal":"abc"})",
           R"({"$numberDecimal":"1E6145"})",
           R"({"$numberDecimal":"12345678901234567890123456789012345"})",
           R"({"$date":"garbage"})",
           R"({"$date":"2020-13-01T00:00:00Z"})",
           R"({"$date":{"$numberLong":"x"}})",
           R"({"$date":{"$numberLong":"9223372036854775808"}})",
           R"({"$date":null})",
           R"({"$timestamp":{"t":-1,"i":"x"}})",
           R"({"$timestamp":{"t":4294967296,"i":0}})",
           R"({"$timestamp":{"t":1}})",
           R"({"$binary":{"base64":"A","subType":"00"}})",
           R"({"$binary":{"base64":"!!!!","subType":"00"}})",
           R"({"$binary":{"base64":"AAAA","subType":"xyz"}})",
           R"({"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035"})",
           R"({"$minKey":2})",
           R"({"$undefined":false})",
           R"({"$symbol":1})",
           R"({"$regularExpression":{"pattern":1,"options":""}})",
           R"({"$regularExpression":{"pattern":"a"}})",
       }) {
    EXPECT_EQ(answer("exports = (x) => x", {ejson(text)}).substr(0, 34), "FunctionExecutionError: TypeError:")
        << text;
    EXPECT_EQ(
        answer("exports = (t) => { try { EJSON.parse(t) } catch (e) { return e instanceof TypeError } }",
               {json::Value(text)}),
        "true")
        << text;
  }
  EXPECT_EQ(answer("exports = (d) => d.getTime()", {ejson(R"({"$date":"2020-01-02T03:04:05.678+0100"})")}),
            R"({"$numberLong":"1577930645678"})");
  EXPECT_EQ(answer("exports = (x) => x", {ejson(R"({"$binary":"AA==","$type":"80"})")}),
            R"({"$binary":{"base64":"AA==","subType":"80"}})");
}

TEST_F(FunctionValuesTest, MeasuresInBytesWhatGoesToTheServer) {
  RuntimeOptions options = defaults();
  options.pool.workers_per_app = 1;
  options.pool.kept_data_bytes = options.data_limit_bytes;  // what is left behind here is much
  start(options);
  ASSERT_EQ(answer("exports = () => true"), "true");
  const auto pids = runtime->pool().processes(app.id);
  for (const char* source : {"exports = () => '\xE2\x82\xAC'.repeat(6 * 1024 * 1024)",
                             "exports = async () => '\xC3\xA9'.repeat(10 * 1024 * 1024)",
                             "exports = () => 'x'.repeat(18 * 1024 * 1024)"}) {
    EXPECT_EQ(answer(source), "FunctionExecutionError: RangeError: the result is larger than 17 MB")
        << source;
  }
  EXPECT_EQ(answer("exports = () => '\xC3\xA9'.repeat(8 * 1024 * 1024)").size(), 16 * 1024 * 1024 + 2U);
  for (const char* question : {"context.values.get('x'.repeat(18 * 1024 * 1024 - 10))",
                               "context.values.get('\xE2\x82\xAC'.repeat(7 * 1024 * 1024))",
                               "context.functions.execute('none', 'x'.repeat(19 * 1024 * 1024))",
                               "require('x'.repeat(18 * 1024 * 1024))"}) {
    EXPECT_EQ(answer(std::string("exports = () => { try { ") + question +
                     " } catch (e) { return [e instanceof Error, e.message] } }"),
              R"([true,"what a function asks the server at once is larger than 18 MB"])")
        << question;
  }
  const auto left = runtime->pool().processes(app.id);
  for (const pid_t pid : pids) EXPECT_EQ(std::count(left.begin(), left.end(), pid), 1) << "it has ended";
}

TEST_F(FunctionValuesTest, MakesBsonTypesWithoutNew) {
  start();
  EXPECT_EQ(
      answer(
          "exports = () => [BSON.ObjectId('507f1f77bcf86cd799439011'), BSON.ObjectID('507f1f77bcf86cd799439011'), "
          "BSON.Int32(1), BSON.Double(2), BSON.Long(3), BSON.Long(1, 1), BSON.Long.fromString('4'), BSON.Decimal128('1.5'), "
          "BSON.Binary(new Uint8Array([1])), BSON.Timestamp(1, 2), BSON.BSONRegExp('a', 'i'), "
          "BSON.UUID('73ffd264-44b3-4c69-90e8-e7d1dfc035d4')]"),
      R"([{"$oid":"507f1f77bcf86cd799439011"},{"$oid":"507f1f77bcf86cd799439011"},{"$numberInt":"1"},{"$numberDouble":"2.0"},)"
      R"({"$numberLong":"3"},{"$numberLong":"4294967297"},{"$numberLong":"4"},{"$numberDecimal":"1.5"},)"
      R"({"$binary":{"base64":"AQ==","subType":"00"}},{"$timestamp":{"t":2,"i":1}},)"
      R"({"$regularExpression":{"pattern":"a","options":"i"}},{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}])");
  EXPECT_EQ(
      answer(
          "exports = (id) => { class Own extends BSON.ObjectId {} const own = new Own(); return "
          "[BSON.ObjectId().toString().length, id instanceof BSON.ObjectId, id.constructor === BSON.ObjectId, "
          "own instanceof Own, own instanceof BSON.ObjectId, BSON.ObjectId.name, BSON.UUID() instanceof BSON.Binary] }",
          {ejson(R"({"$oid":"507f1f77bcf86cd799439011"})")}),
      R"([{"$numberLong":"24"},true,true,true,true,"ObjectId",true])");
  EXPECT_EQ(
      answer(
          "exports = () => ({a: BSON.MinKey, b: [BSON.MaxKey], c: BSON.MinKey(), d: new BSON.MaxKey(), f() {}})"),
      R"({"a":{"$minKey":1},"b":[{"$maxKey":1}],"c":{"$minKey":1},"d":{"$maxKey":1}})");
}

TEST_F(FunctionValuesTest, MakesOnlyDecimalsThatThereAre) {
  start();
  for (const char* text :
       {"abc", "", ".", "1e", "1e99999", "1e-99999", "0x1", "1 ", "12345678901234567890123456789012345",
        "123456789012345678901234567890123456789012345678901234567890", "1E6145", "1E-6177"}) {
    EXPECT_EQ(answer("exports = (t) => new BSON.Decimal128(t)", {json::Value(text)}),
              std::string("FunctionExecutionError: TypeError: not a Decimal128: ") + text);
  }
  for (const char* text :
       {"1", "-1.50", "+.5", "1.", "1E6144", "1E-6176", "9.999999999999999999999999999999999E+6144",
        "0E+99999", "100000000000000000000000000000000000000000000000000000000000", "Infinity", "-inf", "NaN",
        "0.00000000000000000000000000000000000000000001"}) {
    EXPECT_EQ(answer("exports = (t) => BSON.Decimal128(t)", {json::Value(text)}),
              std::string(R"({"$numberDecimal":")") + text + "\"}");
  }
}

}  // namespace
}  // namespace keyturn::server::functions

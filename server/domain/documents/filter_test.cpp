// SPDX-License-Identifier: Apache-2.0
// Expectations are what MongoDB's manual says of each operator.
#include "server/domain/documents/filter.hpp"

#include <gtest/gtest.h>

#include "server/domain/documents/test_text.hpp"

namespace keyturn::server::documents {
namespace {

struct FilterCase {
  const char* query;
  const char* document;
  bool matches;
};

const FilterCase kFilterCases[] = {
    {"{}", "{}", true},
    {R"({"a":1})", R"({"a":1})", true},
    {R"({"a":1})", R"({"a":{"$numberLong":"1"}})", true},
    {R"({"a":1})", R"({"a":1.0})", true},
    {R"({"a":1})", R"({"a":{"$numberDecimal":"1.00"}})", true},
    {R"({"a":1})", R"({"a":"1"})", false},
    {R"({"a":1})", R"({"a":true})", false},
    {R"({"a":{"$numberDouble":"0.1"}})", R"({"a":{"$numberDecimal":"0.1"}})", false},
    {R"({"a":null})", R"({"a":null})", true},
    {R"({"a":null})", R"({"b":1})", true},
    {R"({"a":null})", R"({"a":0})", false},
    {R"({"a.b":null})", R"({"a":4})", true},
    {R"({"a.b":1})", R"({"a":{"b":1}})", true},
    {R"({"a.b":1})", R"({"a":[{"b":2},{"b":1}]})", true},
    {R"({"a.1.b":1})", R"({"a":[{"b":2},{"b":1}]})", true},
    {R"({"a.0.b":1})", R"({"a":[{"b":2},{"b":1}]})", false},
    {R"({"a":1})", R"({"a":[2,1]})", true},
    {R"({"a":[1,2]})", R"({"a":[1,2]})", true},
    {R"({"a":[1,2]})", R"({"a":[2,1]})", false},
    {R"({"a":[1,2]})", R"({"a":[[1,2],3]})", true},
    {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":2}})", true},
    {R"({"a":{"b":1,"c":2}})", R"({"a":{"c":2,"b":1}})", false},
    {R"({"a":{"$gt":1}})", R"({"a":2})", true},
    {R"({"a":{"$gt":1}})", R"({"a":1})", false},
    {R"({"a":{"$gte":1}})", R"({"a":1})", true},
    {R"({"a":{"$lt":1}})", R"({"a":0.5})", true},
    {R"({"a":{"$lte":1}})", R"({"a":{"$numberDecimal":"1.0"}})", true},
    {R"({"a":{"$gt":1}})", R"({"a":"2"})", false},
    {R"({"a":{"$gt":{"$numberLong":"9007199254740992"}}})", R"({"a":{"$numberLong":"9007199254740993"}})",
     true},
    {R"({"a":{"$gt":9007199254740992.0}})", R"({"a":{"$numberLong":"9007199254740993"}})", true},
    {R"({"a":{"$gt":{"$numberDouble":"NaN"}}})", R"({"a":1})", false},
    {R"({"a":{"$gte":{"$numberDouble":"NaN"}}})", R"({"a":{"$numberDouble":"NaN"}})", true},
    {R"({"a":{"$gte":null}})", R"({})", true},
    {R"({"a":{"$gt":1,"$lt":3}})", R"({"a":2})", true},
    {R"({"a":{"$gt":1,"$lt":3}})", R"({"a":[0,5]})", true},
    {R"({"a":{"$ne":1}})", R"({"a":2})", true},
    {R"({"a":{"$ne":1}})", R"({"a":[1,2]})", false},
    {R"({"a":{"$ne":1}})", R"({})", true},
    {R"({"a":{"$in":[1,"x"]}})", R"({"a":"x"})", true},
    {R"({"a":{"$in":[1,"x"]}})", R"({"a":[5,1]})", true},
    {R"({"a":{"$in":[null]}})", R"({})", true},
    {R"({"a":{"$in":[]}})", R"({"a":1})", false},
    {R"({"a":{"$in":[{"$regularExpression":{"pattern":"^b","options":""}}]}})", R"({"a":"bc"})", true},
    {R"({"a":{"$nin":[1,2]}})", R"({"a":3})", true},
    {R"({"a":{"$nin":[1,2]}})", R"({"a":[3,2]})", false},
    {R"({"$and":[{"a":1},{"b":2}]})", R"({"a":1,"b":2})", true},
    {R"({"$and":[{"a":1},{"b":2}]})", R"({"a":1})", false},
    {R"({"$or":[{"a":1},{"b":2}]})", R"({"b":2})", true},
    {R"({"$nor":[{"a":1},{"b":2}]})", R"({"b":3})", true},
    {R"({"$nor":[{"a":1},{"b":2}]})", R"({"b":2})", false},
    {R"({"a":{"$not":{"$gt":1}}})", R"({"a":1})", true},
    {R"({"a":{"$not":{"$gt":1}}})", R"({})", true},
    {R"({"a":{"$not":{"$gt":1}}})", R"({"a":2})", false},
    {R"({"a":{"$not":{"$regularExpression":{"pattern":"^b","options":""}}}})", R"({"a":"c"})", true},
    {R"({"a":{"$exists":true}})", R"({"a":null})", true},
    {R"({"a":{"$exists":true}})", R"({})", false},
    {R"({"a":{"$exists":false}})", R"({})", true},
    {R"({"a.b":{"$exists":false}})", R"({"a":[]})", true},
    {R"({"a":{"$type":"string"}})", R"({"a":"x"})", true},
    {R"({"a":{"$type":"int"}})", R"({"a":{"$numberLong":"1"}})", false},
    {R"({"a":{"$type":"long"}})", R"({"a":{"$numberLong":"1"}})", true},
    {R"({"a":{"$type":"number"}})", R"({"a":{"$numberDecimal":"1"}})", true},
    {R"({"a":{"$type":["string","null"]}})", R"({"a":null})", true},
    {R"({"a":{"$type":"array"}})", R"({"a":[1]})", true},
    {R"({"a":{"$type":"int"}})", R"({"a":[1]})", true},
    {R"({"a":{"$type":7}})", R"({"a":{"$oid":"65f0c0ffee0000000000abcd"}})", true},
    {R"({"a":{"$regex":"^B","$options":"i"}})", R"({"a":"bc"})", true},
    {R"({"a":{"$regex":"^B"}})", R"({"a":"bc"})", false},
    {R"({"a":{"$regex":"ü"}})", R"({"a":"xüy"})", true},
    {R"({"a":{"$regularExpression":{"pattern":"c$","options":""}}})", R"({"a":["x","bc"]})", true},
    {R"({"a":{"$elemMatch":{"b":1,"c":2}}})", R"({"a":[{"b":1},{"c":2}]})", false},
    {R"({"a":{"$elemMatch":{"b":1,"c":2}}})", R"({"a":[{"b":1},{"b":1,"c":2}]})", true},
    {R"({"a":{"$elemMatch":{"$gt":1,"$lt":3}}})", R"({"a":[0,5]})", false},
    {R"({"a":{"$elemMatch":{"$gt":1,"$lt":3}}})", R"({"a":[0,2]})", true},
    {R"({"a":{"$elemMatch":{"$or":[{"b":1},{"b":2}]}}})", R"({"a":[{"b":2}]})", true},
    {R"({"a":{"$elemMatch":{"b":1}}})", R"({"a":{"b":1}})", false},
    {R"({"a":{"$size":2}})", R"({"a":[1,2]})", true},
    {R"({"a":{"$size":2}})", R"({"a":[[1,2]]})", false},
    {R"({"a":{"$size":0}})", R"({})", false},
    {R"({"a":{"$all":[1,2]}})", R"({"a":[2,3,1]})", true},
    {R"({"a":{"$all":[1,2]}})", R"({"a":[1]})", false},
    {R"({"a":{"$all":[1]}})", R"({"a":1})", true},
    {R"({"a":{"$all":[]}})", R"({"a":[]})", false},
    {R"({"a":{"$all":[{"$elemMatch":{"b":1}},{"$elemMatch":{"b":2}}]}})", R"({"a":[{"b":1},{"b":2}]})", true},
    {R"({"a":{"$binary":{"base64":"AQI=","subType":"00"}}})",
     R"({"a":{"$binary":{"base64":"AQI=","subType":"05"}}})", false},
    {R"({"a":{"$lt":{"$date":"2024-01-01T00:00:00Z"}}})", R"({"a":{"$date":"2023-01-01T00:00:00Z"}})", true},
    {R"({"a":{"$lt":{"$date":"2024-01-01T00:00:00Z"}}})", R"({"a":5})", false},
};

TEST(Filter, MatchesAsTheManualSays) {
  for (const FilterCase& each : kFilterCases) {
    const auto filter = Filter::compile(document_of(each.query));
    ASSERT_TRUE(filter.has_value()) << each.query << ": " << filter.error().message;
    EXPECT_EQ(filter->matches(document_of(each.document)), each.matches)
        << each.query << " on " << each.document;
  }
}

TEST(Filter, RefusesWhatItDoesNotKnowByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"$who":1})", "unknown top level operator: $who."},
      {R"({"a":{"$who":1}})", "unknown operator: $who"},
      {R"({"a":{"$mod":[2,0]}})", "$mod is not supported by the embedded document store"},
      {R"({"$where":"1"})", "$where is not supported"},
      {R"({"$expr":{}})", "$expr is not supported"},
      {R"({"a":{"$in":1}})", "$in needs an array"},
      {R"({"$or":[]})", "$or must be a nonempty array"},
      {R"({"a":{"$regex":"("}})", "invalid"},
      {R"({"a":{"$options":"i"}})", "$options needs a $regex"},
      {R"({"a":{"$size":-1}})", "$size"},
      {R"({"a":{"$type":"who"}})", "Unknown type name alias: who"},
  };
  for (const auto& [query, text] : cases) {
    const auto filter = Filter::compile(document_of(query));
    ASSERT_FALSE(filter.has_value()) << query;
    EXPECT_EQ(filter.error().code, ErrorCode::MongoDBError);
    EXPECT_NE(filter.error().message.find(text), std::string::npos) << filter.error().message;
  }
}

TEST(Filter, RegularExpressionThatBacktracksForEverMatchesNothing) {
  const auto filter = Filter::compile(document_of(R"({"a":{"$regex":"^(a+)+$"}})"));
  ASSERT_TRUE(filter.has_value());
  EXPECT_FALSE(filter->matches(EjsonDocument{{"a", std::string(64, 'a') + "!"}}));
}

TEST(Filter, NestingIsBounded) {
  std::string query = "{}";
  for (int i = 0; i < 60; ++i) query = R"({"$and":[)" + query + "]}";
  const auto parsed = Ejson::parse(query);
  ASSERT_FALSE(parsed.has_value() && Filter::compile(*parsed->get_if<EjsonDocument>()).has_value());
}

TEST(Filter, TellsWhichElementMatched) {
  const auto filter = Filter::compile(document_of(R"({"a.b":2})"));
  EXPECT_EQ(filter->match(document_of(R"({"a":[{"b":1},{"b":2}]})")).array_index, 1U);
  EXPECT_EQ(filter->match(document_of(R"({"a":{"b":2}})")).array_index, std::nullopt);
}

TEST(Filter, TellsWhatMustBeEqual) {
  const auto filter = Filter::compile(
      document_of(R"({"a":1,"$and":[{"b.c":{"$eq":"x"}}],"d":{"$in":[1,2]},"e":{"$gt":1},"$or":[{"f":1}]})"));
  ASSERT_TRUE(filter.has_value());
  const std::vector<std::pair<std::string, Ejson>> equal{{"a", 1}, {"b.c", "x"}, {"f", 1}};
  EXPECT_EQ(filter->equalities(), equal);
  ASSERT_EQ(filter->equality_candidates().size(), 4U);
  EXPECT_EQ(filter->equality_candidates()[2].first, "d");
}

}  // namespace
}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
// Expectations are what MongoDB's manual says of each operator.
#include "server/domain/documents/update.hpp"

#include <gtest/gtest.h>

#include "server/domain/documents/test_text.hpp"

namespace keyturn::server::documents {
namespace {

const WallTime kNow{std::chrono::seconds{1'700'000'000}};

struct UpdateCase {
  const char* before;
  const char* query;
  const char* update;
  const char* filters;
  const char* after;
};

const UpdateCase kUpdateCases[] = {
    {R"({"_id":1,"a":1})", "{}", R"({"$set":{"a":2,"b.c":3}})", "[]", R"({"_id":1,"a":2,"b":{"c":3}})"},
    {R"({"_id":1,"a":{"b":1}})", "{}", R"({"$unset":{"a.b":"","x.y":1}})", "[]", R"({"_id":1,"a":{}})"},
    {R"({"a":[1,2]})", "{}", R"({"$unset":{"a.0":""}})", "[]", R"({"a":[null,2]})"},
    {R"({"a":1})", "{}", R"({"$inc":{"a":2,"n":5}})", "[]", R"({"a":3,"n":5})"},
    {R"({"a":2147483647})", "{}", R"({"$inc":{"a":1}})", "[]", R"({"a":{"$numberLong":"2147483648"}})"},
    {R"({"a":1})", "{}", R"({"$inc":{"a":{"$numberLong":"1"}}})", "[]", R"({"a":{"$numberLong":"2"}})"},
    {R"({"a":1})", "{}", R"({"$inc":{"a":1.5}})", "[]", R"({"a":2.5})"},
    {R"({"a":3})", "{}", R"({"$mul":{"a":2,"b":2}})", "[]", R"({"a":6,"b":0})"},
    {R"({"a":3,"b":3})", "{}", R"({"$min":{"a":2},"$max":{"b":2,"c":7}})", "[]", R"({"a":2,"b":3,"c":7})"},
    {R"({"a":1,"c":2})", "{}", R"({"$rename":{"a":"b","x":"y"}})", "[]", R"({"c":2,"b":1})"},
    {R"({"a":1})", "{}", R"({"$setOnInsert":{"b":1}})", "[]", R"({"a":1})"},
    {"{}", "{}", R"({"$currentDate":{"a":true,"b":{"$type":"timestamp"}}})", "[]",
     R"({"a":{"$date":{"$numberLong":"1700000000000"}},"b":{"$timestamp":{"t":1700000000,"i":1}}})"},
    {R"({"a":[1]})", "{}", R"({"$push":{"a":2,"b":3}})", "[]", R"({"a":[1,2],"b":[3]})"},
    {R"({"a":[1]})", "{}", R"({"$push":{"a":{"$each":[5,4],"$position":0}}})", "[]", R"({"a":[5,4,1]})"},
    {R"({"a":[1,2,3]})", "{}", R"({"$push":{"a":{"$each":[9],"$position":-1}}})", "[]", R"({"a":[1,2,9,3]})"},
    {R"({"a":[3,1]})", "{}", R"({"$push":{"a":{"$each":[2],"$sort":-1,"$slice":2}}})", "[]",
     R"({"a":[3,2]})"},
    {R"({"a":[{"s":3},{"s":1}]})", "{}", R"({"$push":{"a":{"$each":[{"s":2}],"$sort":{"s":1},"$slice":-2}}})",
     "[]", R"({"a":[{"s":2},{"s":3}]})"},
    {R"({"a":[1,{"$numberLong":"2"}]})", "{}", R"({"$addToSet":{"a":{"$each":[2,3,3]}}})", "[]",
     R"({"a":[1,{"$numberLong":"2"},3]})"},
    {R"({"a":[1,2,3,2]})", "{}", R"({"$pull":{"a":2}})", "[]", R"({"a":[1,3]})"},
    {R"({"a":[1,2,3]})", "{}", R"({"$pull":{"a":{"$gte":2}}})", "[]", R"({"a":[1]})"},
    {R"({"a":[{"b":1,"c":1},{"b":2}]})", "{}", R"({"$pull":{"a":{"b":1}}})", "[]", R"({"a":[{"b":2}]})"},
    {R"({"a":[1,2,3]})", "{}", R"({"$pop":{"a":1}})", "[]", R"({"a":[1,2]})"},
    {R"({"a":[1,2,3]})", "{}", R"({"$pop":{"a":-1}})", "[]", R"({"a":[2,3]})"},
    {R"({"a":[1,2,3]})", R"({"a":2})", R"({"$set":{"a.$":9}})", "[]", R"({"a":[1,9,3]})"},
    {R"({"a":[{"b":1},{"b":2}]})", R"({"a.b":2})", R"({"$inc":{"a.$.b":10}})", "[]",
     R"({"a":[{"b":1},{"b":12}]})"},
    {R"({"a":[1,2]})", "{}", R"({"$inc":{"a.$[]":1}})", "[]", R"({"a":[2,3]})"},
    {R"({"a":[1,5,9]})", "{}", R"({"$set":{"a.$[big]":0}})", R"([{"big":{"$gt":4}}])", R"({"a":[1,0,0]})"},
    {R"({"a":[{"b":1,"c":0},{"b":2,"c":0}]})", "{}", R"({"$set":{"a.$[e].c":7}})", R"([{"e.b":2}])",
     R"({"a":[{"b":1,"c":0},{"b":2,"c":7}]})"},
    {R"({"a":[1]})", "{}", R"({"$set":{"a.3":4}})", "[]", R"({"a":[1,null,null,4]})"},
    {R"({"_id":1,"a":1,"b":2})", "{}", R"({"c":3})", "[]", R"({"_id":1,"c":3})"},
    {R"({"_id":1,"a":1})", "{}", R"({"_id":1,"c":3})", "[]", R"({"_id":1,"c":3})"},
    {R"({"_id":1})", "{}", R"({"t":{"$timestamp":{"t":0,"i":0}},"n":{"t":{"$timestamp":{"t":0,"i":0}}}})",
     "[]", R"({"_id":1,"t":{"$timestamp":{"t":1700000000,"i":1}},"n":{"t":{"$timestamp":{"t":0,"i":0}}}})"},
    {R"({"_id":1})", "{}", R"({"$set":{"t":{"$timestamp":{"t":0,"i":0}}}})", "[]",
     R"({"_id":1,"t":{"$timestamp":{"t":0,"i":0}}})"},
};

TEST(Update, ChangesAsTheManualSays) {
  for (const UpdateCase& each : kUpdateCases) {
    const auto filter = Filter::compile(document_of(each.query));
    const auto update = Update::compile(value_of(each.update), *value_of(each.filters).get_if<EjsonArray>());
    ASSERT_TRUE(update.has_value()) << each.update << ": " << update.error().message;
    const EjsonDocument before = document_of(each.before);
    const auto after = update->apply(before, filter->match(before), kNow, false);
    ASSERT_TRUE(after.has_value()) << each.update << ": " << after.error().message;
    EXPECT_EQ(Ejson(*after).to_canonical(), value_of(each.after).to_canonical()) << each.update;
  }
}

TEST(Update, SetOnInsertCountsForAnInsertOnly) {
  const auto update = Update::compile(value_of(R"({"$setOnInsert":{"b":1}})"));
  EXPECT_EQ(Ejson(*update->apply(document_of(R"({"a":1})"), {}, kNow, true)).to_relaxed(),
            R"({"a":1,"b":1})");
}

TEST(Update, RefusesWhatItDoesNotKnowByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"$who":{"a":1}})", "Unknown modifier: $who"},
      {R"({"$bit":{"a":1}})", "$bit is not supported"},
      {R"({"a":1,"$set":{"b":1}})", "a replacement with the member '$set' is not supported"},
      {R"({"$set":{"a":1},"b":1})", "Unknown modifier: b"},
      {R"({"$inc":{"a":"x"}})", "non-numeric"},
      {R"({"$set":{"a":1},"$inc":{"a":1}})", "would create a conflict at 'a'"},
      {R"({"$set":{"a":1,"a.b":1}})", "would create a conflict"},
      {R"({"$set":{"a..b":1}})", "empty field name"},
      {R"({"$set":{"a.$[x]":1}})", "No array filter found for identifier 'x'"},
      {R"({"$set":{"a.$b":1}})", "dollar"},
      {R"({"$push":{"a":{"$each":1}}})", "$each must be an array"},
      {R"({"$pop":{"a":2}})", "$pop expects 1 or -1"},
      {R"([{"$set":{"a":1}}])", "aggregation pipeline"},
  };
  for (const auto& [text, message] : cases) {
    const auto update = Update::compile(value_of(text));
    ASSERT_FALSE(update.has_value()) << text;
    EXPECT_NE(update.error().message.find(message), std::string::npos) << update.error().message;
  }
}

TEST(Update, RefusesWhatADocumentDoesNotAllow) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {R"({"_id":1})", R"({"$set":{"_id":2}})", "immutable field '_id'"},
      {R"({"_id":1})", R"({"_id":2})", "_id field cannot be changed"},
      {R"({"a":"x"})", R"({"$inc":{"a":1}})", "non-numeric type"},
      {R"({"a":{"$numberDecimal":"1"}})", R"({"$inc":{"a":1}})", "Decimal128 is not supported"},
      {R"({"a":{"$numberLong":"9223372036854775807"}})", R"({"$inc":{"a":1}})", "overflows"},
      {R"({"a":1})", R"({"$push":{"a":1}})", "needs an array"},
      {R"({"a":1})", R"({"$set":{"a.b":1}})", "Cannot create field 'b'"},
      {R"({"a":[1]})", R"({"$set":{"a.b":1}})", "Cannot create field 'b' in an array"},
      {R"({"a":[1]})", R"({"$set":{"a.$":1}})", "positional operator did not find the match"},
      {R"({"a":[]})", R"({"$set":{"a.99999999":1}})", "backfill"},
  };
  for (const auto& [before, text, message] : cases) {
    const auto update = Update::compile(value_of(text));
    ASSERT_TRUE(update.has_value()) << text;
    const auto after = update->apply(document_of(before), {}, kNow, false);
    ASSERT_FALSE(after.has_value()) << text;
    EXPECT_NE(after.error().message.find(message), std::string::npos) << after.error().message;
  }
}

}  // namespace
}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
// Expectations are what MongoDB's manual says of each stage.
#include "server/domain/documents/pipeline.hpp"

#include <gtest/gtest.h>

#include "server/domain/documents/equality_key.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/shape.hpp"
#include "server/domain/documents/sort.hpp"
#include "server/domain/documents/test_text.hpp"

namespace keyturn::server::documents {
namespace {

std::vector<EjsonDocument> documents_of(std::string_view text) {
  std::vector<EjsonDocument> documents;
  const Ejson list = value_of(text);
  for (const Ejson& each : *list.get_if<EjsonArray>()) documents.push_back(*each.get_if<EjsonDocument>());
  return documents;
}

Result<std::vector<EjsonDocument>> run(std::string_view stages, std::string_view documents) {
  const auto pipeline = Pipeline::compile(*value_of(stages).get_if<EjsonArray>());
  if (!pipeline) return pipeline.error();
  return pipeline->run(documents_of(documents),
                       [](const std::string& name) -> Result<std::vector<EjsonDocument>> {
                         if (name != "others") return Error(ErrorCode::MongoDBError, "unexpected collection");
                         return documents_of(R"([{"_id":1,"k":"x"},{"_id":2,"k":"y"},{"_id":3,"k":"x"}])");
                       });
}

std::string text_of(const std::vector<EjsonDocument>& documents) {
  EjsonArray list;
  for (const EjsonDocument& each : documents) list.emplace_back(each);
  return Ejson(list).to_canonical();
}

struct PipelineCase {
  const char* stages;
  const char* documents;
  const char* result;
};

const PipelineCase kPipelineCases[] = {
    {R"([{"$match":{"a":{"$gt":1}}}])", R"([{"a":1},{"a":2}])", R"([{"a":2}])"},
    {R"([{"$sort":{"a":-1}},{"$skip":1},{"$limit":1}])", R"([{"a":1},{"a":3},{"a":2}])", R"([{"a":2}])"},
    {R"([{"$count":"n"}])", R"([{"a":1},{"a":3}])", R"([{"n":2}])"},
    {R"([{"$count":"n"}])", "[]", "[]"},
    {R"([{"$project":{"a":1}}])", R"([{"_id":7,"a":1,"b":2}])", R"([{"_id":7,"a":1}])"},
    {R"([{"$project":{"_id":0,"b":0}}])", R"([{"_id":7,"a":1,"b":2}])", R"([{"a":1}])"},
    {R"([{"$project":{"_id":0,"c":"$a.b"}}])", R"([{"_id":7,"a":{"b":5}}])", R"([{"c":5}])"},
    {R"([{"$project":{"c":{"$add":["$a",1]}}}])", R"([{"_id":7,"a":1}])", R"([{"_id":7,"c":2}])"},
    {R"([{"$addFields":{"s":{"$concat":["$a","-","$b"]},"m":"$missing"}}])", R"([{"a":"x","b":"y"}])",
     R"([{"a":"x","b":"y","s":"x-y"}])"},
    {R"([{"$unset":["a","b.c"]}])", R"([{"a":1,"b":{"c":1,"d":2}}])", R"([{"b":{"d":2}}])"},
    {R"([{"$group":{"_id":"$k","n":{"$sum":1},"s":{"$sum":"$v"},"a":{"$avg":"$v"},"lo":{"$min":"$v"},"hi":{"$max":"$v"},"all":{"$push":"$v"},"set":{"$addToSet":"$v"},"f":{"$first":"$v"},"l":{"$last":"$v"},"c":{"$count":{}}}}])",
     R"([{"k":"x","v":1},{"k":"y","v":{"$numberLong":"5"}},{"k":"x","v":2.5},{"k":"x","v":1}])",
     R"([{"_id":"x","n":3,"s":4.5,"a":1.5,"lo":1,"hi":2.5,"all":[1,2.5,1],"set":[1,2.5],"f":1,"l":1,"c":3},{"_id":"y","n":1,"s":{"$numberLong":"5"},"a":5.0,"lo":{"$numberLong":"5"},"hi":{"$numberLong":"5"},"all":[{"$numberLong":"5"}],"set":[{"$numberLong":"5"}],"f":{"$numberLong":"5"},"l":{"$numberLong":"5"},"c":1}])"},
    {R"([{"$group":{"_id":null,"s":{"$sum":"$v"}}}])", R"([{"v":"x"},{"v":2147483647},{"v":1}])",
     R"([{"_id":null,"s":{"$numberLong":"2147483648"}}])"},
    {R"([{"$group":{"_id":"$k"}}])", R"([{"k":1},{"k":1.0},{"k":{"$numberLong":"1"}}])", R"([{"_id":1}])"},
    {R"([{"$unwind":"$a"}])", R"([{"_id":1,"a":[1,2]},{"_id":2,"a":[]},{"_id":3},{"_id":4,"a":9}])",
     R"([{"_id":1,"a":1},{"_id":1,"a":2},{"_id":4,"a":9}])"},
    {R"([{"$unwind":{"path":"$a","preserveNullAndEmptyArrays":true,"includeArrayIndex":"i"}}])",
     R"([{"_id":1,"a":[5]},{"_id":2,"a":[]}])",
     R"([{"_id":1,"a":5,"i":{"$numberLong":"0"}},{"_id":2,"i":null}])"},
    {R"([{"$lookup":{"from":"others","localField":"k","foreignField":"k","as":"found"}}])",
     R"([{"k":"x"},{"k":"z"}])",
     R"([{"k":"x","found":[{"_id":1,"k":"x"},{"_id":3,"k":"x"}]},{"k":"z","found":[]}])"},
    {R"([{"$replaceRoot":{"newRoot":"$a"}}])", R"([{"a":{"b":1}}])", R"([{"b":1}])"},
    {R"([{"$addFields":{"r":{"$cond":[{"$gte":["$a",2]},"big","small"]},"n":{"$ifNull":["$x","none"]},"z":{"$size":"$l"},"e":{"$arrayElemAt":["$l",-1]}}}])",
     R"([{"a":2,"l":[1,2,3]}])", R"([{"a":2,"l":[1,2,3],"r":"big","n":"none","z":3,"e":3}])"},
};

TEST(Pipeline, ComputesAsTheManualSays) {
  for (const PipelineCase& each : kPipelineCases) {
    const auto result = run(each.stages, each.documents);
    ASSERT_TRUE(result.has_value()) << each.stages << ": " << result.error().message;
    EXPECT_EQ(text_of(*result), value_of(each.result).to_canonical()) << each.stages;
  }
}

TEST(Pipeline, RefusesWhatItDoesNotKnowByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([{"$who":1}])", "Unrecognized pipeline stage name: '$who'."},
      {R"([{"$facet":{}}])", "$facet is not supported"},
      {R"([{"$lookup":{"from":"x","pipeline":[],"as":"y"}}])", "$lookup with a pipeline is not supported"},
      {R"([{"$group":{"_id":1,"a":{"$stdDevPop":"$b"}}}])", "$stdDevPop is not supported"},
      {R"([{"$addFields":{"a":{"$zip":1}}}])", "$zip is not supported"},
      {R"([{"$group":{"a":{"$sum":1}}}])", "must include an _id"},
      {R"([{"$match":1}])", "must be an object"},
      {R"([{"$limit":0}])", "invalid argument to $limit"},
      {R"([{"$project":{"a":1,"b":0}}])", "Cannot do exclusion on field b in inclusion projection"},
      {R"([{"$match":{},"$sort":{}}])", "exactly one field"},
  };
  for (const auto& [stages, message] : cases) {
    const auto result = run(stages, R"([{"a":1}])");
    ASSERT_FALSE(result.has_value()) << stages;
    EXPECT_NE(result.error().message.find(message), std::string::npos) << result.error().message;
  }
}

TEST(Pipeline, TellsWhatItReads) {
  const auto pipeline = Pipeline::compile(
      *value_of(
           R"([{"$match":{"a":1}},{"$lookup":{"from":"others","localField":"k","foreignField":"k","as":"f"}}])")
           .get_if<EjsonArray>());
  ASSERT_TRUE(pipeline.has_value());
  EXPECT_EQ(pipeline->foreign_collections(), std::vector<std::string>{"others"});
  EXPECT_EQ(Ejson(pipeline->leading_match()).to_relaxed(), R"({"a":1})");
}

// The manual's list, one value of each bracket.
TEST(Order, PutsTypesInTheDocumentedOrder) {
  const char* const in_order[] = {R"({"$minKey":1})",
                                  "null",
                                  R"({"$numberDouble":"NaN"})",
                                  R"({"$numberDouble":"-Infinity"})",
                                  "-1",
                                  R"({"$numberDecimal":"-0.5"})",
                                  "0",
                                  R"({"$numberLong":"9007199254740993"})",
                                  R"({"$numberDecimal":"1E+400"})",
                                  R"({"$numberDouble":"Infinity"})",
                                  R"("")",
                                  R"("a")",
                                  R"("b")",
                                  "{}",
                                  R"({"a":1})",
                                  R"({"b":0})",
                                  "[]",
                                  "[1]",
                                  "[1,1]",
                                  R"({"$binary":{"base64":"AQ==","subType":"00"}})",
                                  R"({"$binary":{"base64":"AQI=","subType":"00"}})",
                                  R"({"$oid":"65f0c0ffee0000000000abcd"})",
                                  "false",
                                  "true",
                                  R"({"$date":{"$numberLong":"0"}})",
                                  R"({"$timestamp":{"t":0,"i":1}})",
                                  R"({"$regularExpression":{"pattern":"a","options":""}})",
                                  R"({"$maxKey":1})"};
  for (std::size_t i = 0; i < std::size(in_order); ++i) {
    for (std::size_t j = 0; j < std::size(in_order); ++j) {
      const auto order = compare(value_of(in_order[i]), value_of(in_order[j]));
      EXPECT_EQ(order < 0, i < j) << in_order[i] << " and " << in_order[j];
      EXPECT_EQ(order == 0, i == j) << in_order[i] << " and " << in_order[j];
      EXPECT_EQ(equality_key(value_of(in_order[i])) == equality_key(value_of(in_order[j])), i == j);
    }
  }
  EXPECT_TRUE(equal(value_of("1"), value_of(R"({"$numberDecimal":"1.000"})")));
  EXPECT_TRUE(equal(value_of("0"), value_of(R"({"$numberDouble":"-0.0"})")));
  for (const char* one : {"1", "1.0", R"({"$numberLong":"1"})", R"({"$numberDecimal":"1.00"})"}) {
    EXPECT_EQ(equality_key(value_of(one)), equality_key(value_of("1"))) << one;
  }
  EXPECT_EQ(equality_key(value_of("0")), equality_key(value_of(R"({"$numberDouble":"-0.0"})")));
  EXPECT_EQ(equality_key(value_of("null")), equality_key(value_of(R"({"$undefined":true})")));
  EXPECT_NE(equality_key(value_of(R"(["a","b"])")), equality_key(value_of(R"(["ab"])")));
}

TEST(Sort, TakesTheLeastOrGreatestElementOfAnArray) {
  auto documents = documents_of(R"([{"_id":1,"a":[3,9]},{"_id":2,"a":5},{"_id":3},{"_id":4,"a":[1,20]}])");
  EXPECT_TRUE(Sort::compile(document_of(R"({"a":1})"))->apply(documents));
  EXPECT_EQ(
      text_of(documents),
      value_of(R"([{"_id":3},{"_id":4,"a":[1,20]},{"_id":1,"a":[3,9]},{"_id":2,"a":5}])").to_canonical());
  EXPECT_TRUE(Sort::compile(document_of(R"({"a":-1})"))->apply(documents));
  EXPECT_EQ(
      text_of(documents),
      value_of(R"([{"_id":4,"a":[1,20]},{"_id":1,"a":[3,9]},{"_id":2,"a":5},{"_id":3}])").to_canonical());
}

TEST(Projection, ReachesThroughArrays) {
  const auto include = Projection::compile(document_of(R"({"a.b":1})"));
  EXPECT_EQ(
      Ejson(include->apply(document_of(R"({"_id":1,"a":[{"b":1,"c":2},5,{"c":3}],"d":1})"))).to_relaxed(),
      R"({"_id":1,"a":[{"b":1},{}]})");
  const auto exclude = Projection::compile(document_of(R"({"a.b":0})"));
  EXPECT_EQ(Ejson(exclude->apply(document_of(R"({"_id":1,"a":[{"b":1,"c":2},5]})"))).to_relaxed(),
            R"({"_id":1,"a":[{"c":2},5]})");
}

}  // namespace
}  // namespace keyturn::server::documents

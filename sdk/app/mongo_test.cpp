// SPDX-License-Identifier: Apache-2.0
// Functions with typed values and the remote MongoDB service: what goes over the wire, and what is made of
// the answer.
#include <gtest/gtest.h>

#include <keyturn/app.hpp>
#include <keyturn/testing.hpp>

namespace keyturn {
namespace {

const char* const kCall = "/api/client/v2.0/app/app/functions/call";

class MongoTest : public ::testing::Test {
 protected:
  MongoTest()
      : app({.app_id = "app", .base_url = server.base_url(), .store = TokenStoreConfiguration::in_memory()}),
        user(app.login(App::credentials::anonymous()).get()),
        dogs(user.mongo_client("mongodb-atlas").database("shop").collection("dogs")) {}

  void answers(std::string body, int status = 200) {
    server.enqueue("POST", kCall, {.status = status, .body = std::move(body)});
  }
  [[nodiscard]] std::string sent() const { return server.requests().back().body; }
  static std::string asked(const std::string& action, const std::string& rest) {
    return R"({"name":")" + action + R"(","arguments":[{"database":"shop","collection":"dogs")" + rest +
           R"(}],"service":"mongodb-atlas"})";
  }

  testing::ScriptedServer server;
  App app;
  User user;
  MongoCollection dogs;
};

TEST_F(MongoTest, FunctionTakesTypedValuesAndGivesOne) {
  answers(R"({"$numberLong":"3"})");
  const Ejson sum = user.call_function("sum", {1, std::int64_t{2}, "x", nullptr}).get();
  EXPECT_EQ(sum, Ejson(std::int64_t{3}));
  EXPECT_EQ(sent(), R"({"name":"sum","arguments":[{"$numberInt":"1"},{"$numberLong":"2"},"x",null]})");
  answers("3");
  EXPECT_EQ(user.call_function("three", {}).get(), Ejson(3));
  EXPECT_EQ(sent(), R"({"name":"three","arguments":[]})");
  answers(R"({"$undefined":true})");
  EXPECT_NE(user.call_function("nothing", {}).get().get_if<BsonUndefined>(), nullptr);
}

TEST_F(MongoTest, FunctionStillTakesTextInEveryForm) {
  for (int i = 0; i < 4; ++i) answers("null");
  const std::string arguments = "[1]";
  EXPECT_EQ(user.call_function("f").get(), "null");
  EXPECT_EQ(user.call_function("f", "[1]").get(), "null");
  EXPECT_EQ(user.call_function("f", arguments).get(), "null");
  EXPECT_EQ(user.call_function("f", std::string("[1]")).get(), "null");
  EXPECT_EQ(sent(), R"({"name":"f","arguments":[1]})");
  EXPECT_EQ(user.call_function("f", "1").result().error().code, ErrorCode::InvalidParameter);
}

TEST_F(MongoTest, FunctionErrorsKeepTheServersCodeAndText) {
  answers(R"({"error":"no dogs","error_code":"FunctionExecutionError"})", 400);
  const auto refused = user.call_function("f", {}).result();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::FunctionExecutionError);
  EXPECT_EQ(refused.error().message, "no dogs");
  answers("{");
  EXPECT_EQ(user.call_function("f", {}).result().error().code, ErrorCode::InvalidServerResponse);
}

TEST_F(MongoTest, FindSendsWhatWasGivenAndNothingElse) {
  answers(R"([{"_id":{"$numberInt":"1"},"n":{"$numberLong":"7"}}])");
  const auto found = dogs.find({{"age", EjsonDocument{{"$gt", 2}}}},
                               {.limit = 5, .projection = {{"n", 1}}, .sort = {{"n", -1}}})
                         .get();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(*found[0].find("n"), Ejson(std::int64_t{7}));
  EXPECT_EQ(sent(),
            asked("find", R"(,"query":{"age":{"$gt":{"$numberInt":"2"}}},"project":{"n":{"$numberInt":"1"}},)"
                          R"("sort":{"n":{"$numberInt":"-1"}},"limit":{"$numberLong":"5"})"));
  answers("[]");
  EXPECT_TRUE(dogs.find().get().empty());
  EXPECT_EQ(sent(), asked("find", R"(,"query":{})"));
  answers("null");
  EXPECT_EQ(dogs.find_one({{"_id", 1}}).get(), std::nullopt);
  answers(R"({"_id":1})");
  EXPECT_EQ(dogs.find_one({{"_id", 1}}, {.limit = 3}).get(), (EjsonDocument{{"_id", 1}}));
  EXPECT_EQ(sent(), asked("findOne", R"(,"query":{"_id":{"$numberInt":"1"}})"));
}

TEST_F(MongoTest, CountReadsPlainAndWrappedIntegers) {
  answers(R"({"$numberLong":"10"})");
  EXPECT_EQ(dogs.count({}, 20).get(), 10);
  EXPECT_EQ(sent(), asked("count", R"(,"query":{},"limit":{"$numberLong":"20"})"));
  answers("4");
  EXPECT_EQ(dogs.count().get(), 4);
  answers(R"("4")");
  EXPECT_EQ(dogs.count().result().error().code, ErrorCode::InvalidServerResponse);
}

TEST_F(MongoTest, InsertsGiveTheIds) {
  answers(R"({"insertedId":{"$oid":"5f0000000000000000000001"}})");
  EXPECT_EQ(dogs.insert_one({{"name", "Rex"}}).get().inserted_id,
            Ejson(*ObjectId::from_hex("5f0000000000000000000001")));
  EXPECT_EQ(sent(), asked("insertOne", R"(,"document":{"name":"Rex"})"));
  answers(R"({"insertedIds":[{"$numberInt":"1"},"b"]})");
  EXPECT_EQ(dogs.insert_many({{{"_id", 1}}, {{"_id", "b"}}}).get().inserted_ids,
            (std::vector<Ejson>{1, "b"}));
  EXPECT_EQ(sent(), asked("insertMany", R"(,"documents":[{"_id":{"$numberInt":"1"}},{"_id":"b"}])"));
  answers("{}");
  EXPECT_EQ(dogs.insert_one({}).result().error().code, ErrorCode::InvalidServerResponse);
}

TEST_F(MongoTest, UpdatesTellWhatWasMatchedModifiedAndInserted) {
  answers(R"({"matchedCount":{"$numberInt":"2"},"modifiedCount":{"$numberInt":"1"}})");
  const auto updated =
      dogs.update_many({{"a", 1}}, {{"$set", EjsonDocument{{"l.$[x]", 2}}}}, {.array_filters = {{{"x", 1}}}})
          .get();
  EXPECT_EQ(updated.matched_count, 2);
  EXPECT_EQ(updated.modified_count, 1);
  EXPECT_FALSE(updated.upserted_id);
  EXPECT_EQ(sent(),
            asked("updateMany",
                  R"(,"query":{"a":{"$numberInt":"1"}},"update":{"$set":{"l.$[x]":{"$numberInt":"2"}}})"
                  R"(,"arrayFilters":[{"x":{"$numberInt":"1"}}])"));
  answers(R"({"matchedCount":0,"modifiedCount":0,"upsertedId":"k"})");
  EXPECT_EQ(dogs.update_one({}, {{"b", true}}, {.upsert = true}).get().upserted_id, Ejson("k"));
  EXPECT_EQ(sent(), asked("updateOne", R"(,"query":{},"update":{"b":true},"upsert":true)"));
}

TEST_F(MongoTest, DeletesTellHowMany) {
  answers(R"({"deletedCount":{"$numberInt":"1"}})");
  EXPECT_EQ(dogs.delete_one({{"a", 1}}).get().deleted_count, 1);
  EXPECT_EQ(sent(), asked("deleteOne", R"(,"query":{"a":{"$numberInt":"1"}})"));
  answers(R"({"deletedCount":{"$numberInt":"9"}})");
  EXPECT_EQ(dogs.delete_many({}).get().deleted_count, 9);
  EXPECT_EQ(sent(), asked("deleteMany", R"(,"query":{})"));
}

TEST_F(MongoTest, FindAndModifyUsesItsOwnNamesOnTheWire) {
  answers(R"({"a":2})");
  EXPECT_EQ(dogs.find_one_and_update({{"a", 1}}, {{"$inc", EjsonDocument{{"a", 1}}}},
                                     {.projection = {{"a", 1}}, .upsert = true, .return_new_document = true})
                .get(),
            (EjsonDocument{{"a", 2}}));
  EXPECT_EQ(sent(),
            asked("findOneAndUpdate",
                  R"(,"filter":{"a":{"$numberInt":"1"}},"projection":{"a":{"$numberInt":"1"}},"upsert":true,)"
                  R"("returnNewDocument":true,"update":{"$inc":{"a":{"$numberInt":"1"}}})"));
  answers("null");
  EXPECT_EQ(dogs.find_one_and_replace({}, {{"b", 1}}).get(), std::nullopt);
  EXPECT_EQ(sent(), asked("findOneAndReplace", R"(,"filter":{},"update":{"b":{"$numberInt":"1"}})"));
  answers("null");
  EXPECT_EQ(dogs.find_one_and_delete({}, {.sort = {{"a", 1}}, .upsert = true}).get(), std::nullopt);
  EXPECT_EQ(sent(), asked("findOneAndDelete", R"(,"filter":{},"sort":{"a":{"$numberInt":"1"}})"));
}

TEST_F(MongoTest, AggregateSendsThePipeline) {
  answers(R"([{"_id":null,"n":{"$numberInt":"2"}}])");
  const auto rows = dogs.aggregate({{{"$match", EjsonDocument{}}}, {{"$count", "n"}}}).get();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(sent(), asked("aggregate", R"(,"pipeline":[{"$match":{}},{"$count":"n"}])"));
  answers(R"([1])");
  EXPECT_EQ(dogs.aggregate({}).result().error().code, ErrorCode::InvalidServerResponse);
}

TEST_F(MongoTest, RefusedTokenIsRefreshedAndTheCallSentOnceMore) {
  answers(R"({"error":"invalid session: access token expired","error_code":"InvalidSession"})", 401);
  answers("[]");
  EXPECT_TRUE(dogs.find().get().empty());
  EXPECT_EQ(server.refresh_count(), 1);
  EXPECT_EQ(server.count("POST", kCall), 2);
}

}  // namespace
}  // namespace keyturn

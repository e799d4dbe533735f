// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "tests/documents/document_service_fixture.hpp"

namespace keyturn::server {
namespace {

using namespace std::chrono_literals;

TEST_F(Documents, ResultsHaveTheShapesAndWidthsThatClientsAssert) {
  const DataCaller s = the_system();
  EXPECT_EQ(call(s, "insertOne", R"("document":{"_id":1,"n":1})"), R"({"insertedId":{"$numberInt":"1"}})");
  EXPECT_EQ(call(s, "insertMany", R"("documents":[{"_id":2,"n":1},{"_id":"x","n":5}])"),
            R"({"insertedIds":[{"$numberInt":"2"},"x"]})");
  EXPECT_EQ(call(s, "insertMany", R"("documents":[])"), "must provide at least one element");
  EXPECT_EQ(code_, ErrorCode::MongoDBError);
  EXPECT_EQ(call(s, "count", ""), R"({"$numberLong":"3"})");
  EXPECT_EQ(call(s, "count", R"("query":{},"limit":{"$numberLong":"2"})"), R"({"$numberLong":"2"})");
  EXPECT_EQ(call(s, "find", R"("query":{"n":1},"project":{"n":1},"sort":{"_id":-1},"limit":1)"),
            R"([{"_id":{"$numberInt":"2"},"n":{"$numberInt":"1"}}])");
  EXPECT_EQ(call(s, "findOne", R"("query":{"_id":"x"})"), R"({"_id":"x","n":{"$numberInt":"5"}})");
  EXPECT_EQ(call(s, "findOne", R"("query":{"_id":"y"})"), "null");
  EXPECT_EQ(call(s, "updateOne", R"("query":{"n":1},"update":{"$set":{"n":2}})"),
            R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})");
  EXPECT_EQ(call(s, "updateMany", R"("query":{},"update":{"$set":{"n":5}},"upsert":false)"),
            R"({"matchedCount":{"$numberInt":"3"},"modifiedCount":{"$numberInt":"2"}})");
  EXPECT_EQ(
      call(s, "updateOne", R"("query":{"_id":9},"update":{"$set":{"n":2}},"upsert":true)"),
      R"({"matchedCount":{"$numberInt":"0"},"modifiedCount":{"$numberInt":"0"},"upsertedId":{"$numberInt":"9"}})");
  EXPECT_EQ(call(s, "updateMany", R"("query":{"_id":9},"update":{"m":1})"),
            "multi update is not supported for replacement-style update");
  EXPECT_EQ(call(s, "deleteOne", R"("query":{"_id":9})"), R"({"deletedCount":{"$numberInt":"1"}})");
  EXPECT_EQ(call(s, "deleteMany", R"("query":{"n":77})"), R"({"deletedCount":{"$numberInt":"0"}})");
  EXPECT_EQ(call(s, "aggregate", R"("pipeline":[{"$group":{"_id":null,"s":{"$sum":"$n"}}}])"),
            R"([{"_id":null,"s":{"$numberInt":"15"}}])");
  EXPECT_EQ(call(s, "distinct", R"("field":"n")"), R"([{"$numberInt":"5"}])");
}

TEST_F(Documents, FindAndModifyAnswersTheOldOrTheNewDocument) {
  const DataCaller s = the_system();
  call(s, "insertMany", R"("documents":[{"_id":1,"n":1},{"_id":2,"n":2},{"_id":3,"n":3}])");
  EXPECT_EQ(call(s, "findOneAndUpdate", R"("filter":{"_id":1},"update":{"$inc":{"n":1}})"),
            R"({"_id":{"$numberInt":"1"},"n":{"$numberInt":"1"}})");
  EXPECT_EQ(
      call(
          s, "findOneAndUpdate",
          R"("filter":{},"sort":{"_id":-1},"update":{"$inc":{"n":1}},"returnNewDocument":true,"projection":{"_id":0})"),
      R"({"n":{"$numberInt":"4"}})");
  EXPECT_EQ(call(s, "findOneAndReplace", R"("filter":{"_id":1},"update":{"m":1},"returnNewDocument":true)"),
            R"({"_id":{"$numberInt":"1"},"m":{"$numberInt":"1"}})");
  EXPECT_EQ(call(s, "findOneAndReplace", R"("filter":{"_id":1},"update":{"$set":{"m":1}})"),
            "the replace operation document must not contain atomic operators");
  EXPECT_EQ(call(s, "findOneAndReplace", R"("filter":{"_id":1})"),
            R"({"_id":{"$numberInt":"1"},"m":{"$numberInt":"1"}})");
  EXPECT_EQ(call(s, "count", ""), R"({"$numberLong":"2"})");
  EXPECT_EQ(call(s, "findOneAndDelete", R"("filter":{"_id":2})"),
            R"({"_id":{"$numberInt":"2"},"n":{"$numberInt":"2"}})");
  EXPECT_EQ(call(s, "findOneAndDelete", R"("filter":{"_id":2})"), "null");
  EXPECT_EQ(call(s, "findOneAndUpdate", R"("filter":{"_id":7},"update":{"$set":{"n":1}},"upsert":true)"),
            "null");
}

TEST_F(Documents, BulkWriteDoesItsStepsInOrder) {
  const DataCaller s = the_system();
  EXPECT_EQ(
      call(
          s, "bulkWrite",
          R"("operations":[{"insertOne":{"document":{"_id":1,"n":1}}},{"updateOne":{"filter":{"_id":1},"update":{"$set":{"n":2}}}},
                    {"replaceOne":{"filter":{"_id":2},"replacement":{"n":3},"upsert":true}},{"deleteMany":{"filter":{"n":2}}}])"),
      R"({"insertedCount":{"$numberInt":"1"},"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"},"deletedCount":{"$numberInt":"1"},"upsertedCount":{"$numberInt":"1"},"insertedIds":{"0":{"$numberInt":"1"}},"upsertedIds":{"2":{"$numberInt":"2"}}})");
}

// As MongoDB does; one call stays one commit.
TEST_F(Documents, InsertManyKeepsWhatCameBeforeTheFirstFault) {
  const DataCaller s = the_system();
  const auto insert = [&](const std::string& documents, const char* more = "") {
    return call(s, "insertMany", R"("documents":)" + documents + more);
  };
  const auto ids = [&] { return call(s, "distinct", R"("field":"_id")"); };
  const std::string taken = "Duplicate key error: a document with this _id exists";
  call(s, "insertOne", R"("document":{"_id":"b"})");
  EXPECT_EQ(insert(R"([{"_id":"a"},{"_id":"b"},{"_id":"c"}])"), taken);
  EXPECT_EQ(code_, ErrorCode::MongoDBError);
  EXPECT_EQ(ids(), R"(["a","b"])");
  EXPECT_EQ(insert(R"([{"_id":"c"},{"_id":"c"},{"_id":"d"}])", R"(,"ordered":true)"), taken);
  EXPECT_EQ(ids(), R"(["a","b","c"])");
  EXPECT_EQ(insert(R"([{"_id":"d"},{"_id":[1]},{"_id":"e"}])"),
            "The '_id' value cannot be of type array, regex or undefined");
  EXPECT_EQ(ids(), R"(["a","b","c","d"])");
  EXPECT_EQ(insert(R"([{"_id":"e"},7])"), "'documents' must hold documents only");
  EXPECT_EQ(ids(), R"(["a","b","c","d"])");
}

TEST_F(Documents, InsertManyWithoutOrderInsertsAllThatFit) {
  const DataCaller s = the_system();
  call(s, "insertOne", R"("document":{"_id":"b"})");
  // The first fault is the one that is told.
  EXPECT_EQ(
      call(s, "insertMany",
           R"("documents":[{"_id":"a"},{"_id":"b"},{"_id":"c"},{"_id":[1]},{"_id":"d"}],"ordered":false)"),
      "Duplicate key error: a document with this _id exists");
  EXPECT_EQ(call(s, "distinct", R"("field":"_id")"), R"(["a","b","c","d"])");
  EXPECT_EQ(call(s, "insertMany", R"("documents":[{"_id":"e"}],"ordered":false)"),
            R"({"insertedIds":["e"]})");
  EXPECT_EQ(call(s, "insertMany", R"("documents":[{"_id":"f"}],"ordered":1)"),
            "'ordered' must be true or false");
  EXPECT_EQ(code_, ErrorCode::BadRequest);
}

// Rules speak about the call; what does not fit a schema is a fault of one document.
TEST_F(Documents, InsertManyIsRefusedAsAWholeByRulesAndByDocumentBySchemas) {
  put("schemas", "x", R"({"metadata":{"data_source":"mongodb-atlas","database":"d","collection":"c"},
      "schema":{"bsonType":"object","properties":{"n":{"bsonType":"int"}}}})");
  const auto insert = [&](const std::string& members) { return call(user("u1"), "insertMany", members); };
  const auto count = [&] { return call(the_system(), "count", ""); };
  for (const char* order : {"true", "false"}) {
    EXPECT_EQ(
        insert(R"("documents":[{"owner_id":"u1"},{"owner_id":"u1","n":"x"},{"owner_id":"u2"}],"ordered":)" +
               std::string(order)),
        "insert not permitted");
    EXPECT_EQ(code_, ErrorCode::NoMatchingRuleFound);
    EXPECT_EQ(count(), R"({"$numberLong":"0"})");
  }
  const std::string unfit =
      "insert not permitted: the document does not fit the schema: 'n' is of type string";
  EXPECT_EQ(insert(R"("documents":[{"owner_id":"u1"},{"owner_id":"u1","n":"x"},{"owner_id":"u1"}])"), unfit);
  EXPECT_EQ(code_, ErrorCode::SchemaValidationFailedWrite);
  EXPECT_EQ(count(), R"({"$numberLong":"1"})");
  EXPECT_EQ(
      insert(
          R"("documents":[{"owner_id":"u1","n":"x"},{"owner_id":"u1"},{"owner_id":"u1"}],"ordered":false)"),
      unfit);
  EXPECT_EQ(count(), R"({"$numberLong":"3"})");
}

TEST_F(Documents, FaultsAreNamed) {
  const DataCaller s = the_system();
  EXPECT_EQ(call(s, "find", "", "other"), "service not found: 'other'");
  EXPECT_EQ(code_, ErrorCode::ServiceNotFound);
  EXPECT_EQ(call(s, "find", "", "web"), "service not found: 'web'");
  EXPECT_TRUE(*service_->has_service(app_, kService));
  EXPECT_FALSE(*service_->has_service(app_, "web"));
  EXPECT_EQ(call(s, "drop", ""), "command not found: 'drop'");
  EXPECT_EQ(call(s, "find", R"("query":7)"), "'query' must be a document");
  EXPECT_EQ(code_, ErrorCode::BadRequest);
  EXPECT_EQ(call(s, "insertOne", ""), "'document' is a required document");
  EXPECT_EQ(call(s, "find", R"("limit":-1)"), "'limit' must be a whole number that is not negative");
  EXPECT_EQ(call(s, "find", R"("query":{"n":{"$who":1}})").find("$who") == std::string::npos, false);
  EXPECT_EQ(call(s, "aggregate", R"("pipeline":[{"$who":1}])"), "Unrecognized pipeline stage name: '$who'.");
  EXPECT_EQ(call(s, "updateOne", R"("query":{},"update":{"$who":{"n":1}})"), "Unknown modifier: $who");
  call(s, "insertOne", R"("document":{"_id":1})");
  EXPECT_NE(call(s, "insertOne", R"("document":{"_id":1})").find("uplicate key error"), std::string::npos);
  EXPECT_EQ(code_, ErrorCode::MongoDBError);
  EXPECT_EQ(service_->call(app_, s, kService, "find", document_of(R"({"database":"d"})")).error().message,
            "'collection' is a required string");
}

TEST_F(Documents, WithoutRulesAUserHasItsOwnDocumentsOnly) {
  call(the_system(), "insertMany", R"("documents":[{"_id":1,"owner_id":"u1"},{"_id":2,"owner_id":"u2"}])");
  EXPECT_EQ(call(user("u1"), "find", ""), R"([{"_id":{"$numberInt":"1"},"owner_id":"u1"}])");
  EXPECT_EQ(call(user("u1"), "count", ""), R"({"$numberLong":"1"})");
  EXPECT_EQ(call(user("u1"), "aggregate", R"("pipeline":[{"$count":"n"}])"), R"([{"n":{"$numberInt":"1"}}])");
  EXPECT_EQ(call(user("u1"), "insertOne", R"("document":{"owner_id":"u2"})"), "insert not permitted");
  EXPECT_EQ(code_, ErrorCode::NoMatchingRuleFound);
  EXPECT_EQ(call(user("u1"), "updateMany", R"("query":{},"update":{"$set":{"n":1}})"),
            R"({"matchedCount":{"$numberInt":"1"},"modifiedCount":{"$numberInt":"1"}})");
  EXPECT_EQ(call(user("u1"), "updateOne", R"("query":{"_id":1},"update":{"$set":{"owner_id":"u2"}})"),
            "update not permitted");
  EXPECT_EQ(call(user("u1"), "deleteMany", R"("query":{"_id":2})"), R"({"deletedCount":{"$numberInt":"0"}})");
  EXPECT_EQ(call({}, "find", ""), "[]");
  EXPECT_EQ(call({}, "insertOne", R"("document":{"owner_id":null})"), "insert not permitted");
}

TEST_F(Documents, LookupSeesTheOtherCollectionAsTheCallerDoes) {
  call(the_system(), "insertMany",
       R"("documents":[{"_id":1,"owner_id":"u1","k":1},{"_id":2,"owner_id":"u2","k":1}])", kService, "other");
  call(the_system(), "insertOne", R"("document":{"_id":1,"owner_id":"u1","k":1})");
  const char* pipeline =
      R"("pipeline":[{"$lookup":{"from":"other","localField":"k","foreignField":"k","as":"o"}},{"$project":{"o":1,"_id":0}}])";
  EXPECT_EQ(call(user("u1"), "aggregate", pipeline),
            R"([{"o":[{"_id":{"$numberInt":"1"},"owner_id":"u1","k":{"$numberInt":"1"}}]}])");
}

TEST_F(Documents, TheRuleOfTheCollectionGoesBeforeTheDefaultRule) {
  call(the_system(), "insertOne", R"("document":{"_id":1})");
  EXPECT_EQ(call(user("u1"), "count", ""), R"({"$numberLong":"0"})");
  put("default_rules", "s1", R"({"roles":[{"apply_when":{},"read":true}]})");
  EXPECT_EQ(call(user("u1"), "count", ""), R"({"$numberLong":"1"})");
  put("rules/s1", "r1",
      R"({"database":"d","collection":"c","roles":[{"apply_when":{"%%user.data.email":{"%in":["a@example.org"]}},"read":true}]})");
  EXPECT_EQ(call(user("u1"), "count", ""), R"({"$numberLong":"1"})");
  EXPECT_EQ(call(user("u2"), "count", ""), R"({"$numberLong":"0"})");
  put("values", "v1", R"({"name":"admins","value":["u2"]})");
  put("rules/s1", "r1",
      R"({"database":"d","collection":"c","roles":[{"apply_when":{"%%user.id":{"%in":"%%values.admins"}},"read":true}]})");
  EXPECT_EQ(call(user("u1"), "count", ""), R"({"$numberLong":"0"})");
  EXPECT_EQ(call(user("u2"), "count", ""), R"({"$numberLong":"1"})");
  put("rules/s1", "r1",
      R"({"database":"d","collection":"c","roles":[{"apply_when":{"%%true":{"%function":{"name":"f"}}},"read":true}]})");
  EXPECT_EQ(call(user("u2"), "count", ""),
            "a rule uses %function, which is not supported, so it lets nobody in");
  EXPECT_EQ(code_, ErrorCode::NoMatchingRuleFound);
}

/// Collects what a watcher is told.
class Watcher {
 public:
  DataService::ChangeObserver observer() {
    return [this](Result<EjsonDocument> event) {
      const std::scoped_lock lock(mutex_);
      seen_.push_back(event ? Ejson(std::move(*event)).to_relaxed() : event.error().message);
      came_.notify_all();
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, 5s, [&] { return seen_.size() >= count; });
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> seen_;
};

TEST_F(Documents, AWatcherSeesWhatItMayAndAskedFor) {
  Watcher mine;
  Watcher by_id;
  Watcher filtered;
  const auto where = [](const std::string& more) {
    return document_of(R"({"database":"d","collection":"c")" + more + "}");
  };
  auto a = service_->watch(app_, user("u1"), kService, where(""), mine.observer());
  auto b = service_->watch(app_, the_system(), kService, where(R"(,"ids":[2])"), by_id.observer());
  auto c = service_->watch(app_, the_system(), kService,
                           where(R"(,"filter":{"$or":[{"fullDocument.n":7},{"operationType":"delete"}]})"),
                           filtered.observer());
  ASSERT_TRUE(a && b && c);
  call(the_system(), "insertMany", R"("documents":[{"_id":1,"owner_id":"u1"},{"_id":2,"owner_id":"u2"}])");
  call(the_system(), "updateOne", R"("query":{"_id":1},"update":{"$set":{"n":7},"$unset":{"x":1}})");
  call(the_system(), "updateOne", R"("query":{"_id":1},"update":{"$set":{"n":7}})");  // changes nothing
  call(the_system(), "updateOne", R"("query":{"_id":1},"update":{"owner_id":"u1","m":1})");
  call(the_system(), "deleteMany", R"("query":{})");
  const std::string ns = R"("ns":{"db":"d","coll":"c"},"documentKey":{"_id":1})";
  EXPECT_EQ(
      mine.wait_for(4),
      (std::vector<std::string>{
          R"({"_id":{"_data":"1"},"operationType":"insert","fullDocument":{"_id":1,"owner_id":"u1"},)" + ns +
              "}",
          R"({"_id":{"_data":"2"},"operationType":"update","fullDocument":{"_id":1,"owner_id":"u1","n":7},)" +
              ns + R"(,"updateDescription":{"updatedFields":{"n":7},"removedFields":[]}})",
          R"({"_id":{"_data":"3"},"operationType":"replace","fullDocument":{"_id":1,"owner_id":"u1","m":1},)" +
              ns + "}",
          R"({"_id":{"_data":"4"},"operationType":"delete",)" + ns + "}"}));
  EXPECT_EQ(by_id.wait_for(2).size(), 2U);
  EXPECT_EQ(filtered.wait_for(3).size(), 3U);
}

TEST_F(Documents, AnOptionThatWouldChangeTheAnswerIsRefusedByName) {
  for (const char* option :
       {"collation", "let", "min", "max", "returnKey", "showRecordId", "returnDocument"}) {
    const std::string answer = call(the_system(), "find", "\"" + std::string(option) + "\":{}");
    EXPECT_EQ(answer.find("the option " + std::string(option) + " of find is not supported"), 0U) << answer;
  }
  const std::string change = R"("filter":{},"update":{"$set":{"a":1}},)";
  for (const char* option : {R"("new":true)", R"("returnOriginal":false)", R"("collation":{"locale":"en"})"})
    EXPECT_NE(call(the_system(), "findOneAndUpdate", change + option).find("link a MongoDB"),
              std::string::npos);
  for (const char* operation :
       {R"({"updateMany":{"filter":{},"update":{"$set":{"a":1}},"collation":{"locale":"en"}}})",
        R"({"deleteOne":{"filter":{},"sort":{"a":1}}})", R"({"insertOne":{"document":{},"who":1}})"}) {
    EXPECT_NE(call(the_system(), "bulkWrite", R"("operations":[)" + std::string(operation) + "]")
                  .find("link a MongoDB"),
              std::string::npos);
  }
  EXPECT_EQ(call(the_system(), "find", R"("maxTimeMS":5,"hint":{"_id":1},"comment":"x","sort":null)"), "[]");
  EXPECT_NE(call(the_system(), "bulkWrite", R"("operations":[],"ordered":false)").find("ordered"),
            std::string::npos);
  EXPECT_EQ(call(the_system(), "count", R"("query":{},"collation":null,"ordered":true)"),
            R"({"$numberLong":"0"})");
}

TEST_F(Documents, ACountSkipsBeforeItsLimit) {
  call(the_system(), "insertMany", R"("documents":[{},{},{},{},{}])");
  const auto counted = [&](const char* options) { return call(the_system(), "count", options); };
  EXPECT_EQ(counted(R"("skip":2)"), R"({"$numberLong":"3"})");
  EXPECT_EQ(counted(R"("skip":2,"limit":2)"), R"({"$numberLong":"2"})");
  EXPECT_EQ(counted(R"("skip":4,"limit":2)"), R"({"$numberLong":"1"})");
  EXPECT_EQ(counted(R"("skip":9)"), R"({"$numberLong":"0"})");
  EXPECT_EQ(counted(R"("skip":2,"limit":{"$numberLong":"9223372036854775807"})"), R"({"$numberLong":"3"})");
}

TEST_F(Documents, ASchemaBindsWhoeverTheRulesBind) {
  put("schemas", "x", R"({"metadata":{"data_source":"mongodb-atlas","database":"d","collection":"c"},
      "schema":{"bsonType":"object","required":["n"],"properties":{"n":{"bsonType":"int"}}}})");
  const auto write = [&](const DataCaller& caller, const char* action, const std::string& members) {
    return call(caller, action, members);
  };
  EXPECT_EQ(write(user("u1"), "insertOne", R"("document":{"_id":1,"owner_id":"u1"})"),
            "insert not permitted: the document does not fit the schema: 'n' is required");
  EXPECT_EQ(write(user("u1"), "insertOne", R"("document":{"_id":1,"owner_id":"u1","n":1})"),
            R"({"insertedId":{"$numberInt":"1"}})");
  EXPECT_EQ(write(user("u1"), "updateOne", R"("query":{"_id":1},"update":{"$set":{"n":"x"}})"),
            "update not permitted: the document does not fit the schema: 'n' is of type string");
  EXPECT_EQ(write(the_system(), "insertOne", R"("document":{"_id":2})"),
            R"({"insertedId":{"$numberInt":"2"}})");
  EXPECT_EQ(call(user("u1"), "insertOne", R"("document":{"_id":3,"owner_id":"u1"})", kService, "other"),
            R"({"insertedId":{"$numberInt":"3"}})");
  put("schemas", "x",
      R"({"metadata":{"data_source":"mongodb-atlas","database":"d","collection":"c"},"schema":{"oneOf":[]}})");
  EXPECT_NE(write(user("u1"), "deleteMany", R"("query":{})").find("'oneOf'"), std::string::npos);
  EXPECT_EQ(write(user("u1"), "count", R"("query":{})"), R"({"$numberLong":"1"})");
}

TEST_F(Documents, AWatcherFollowsAChangeOfTheRules) {
  Watcher watcher;
  auto registration = service_->watch(
      app_, user("u1"), kService, document_of(R"({"database":"d","collection":"c"})"), watcher.observer());
  ASSERT_TRUE(registration);
  call(the_system(), "insertOne", R"("document":{"_id":1,"owner_id":"u1"})");
  ASSERT_EQ(watcher.wait_for(1).size(), 1U);
  put("default_rules", "s1", R"({"roles":[]})");
  clock_.advance(1s);
  call(the_system(), "insertOne", R"("document":{"_id":2,"owner_id":"u1"})");
  put("default_rules", "s1", R"({"roles":[{"read":{"%%request.x":1}}]})");
  // The first is taken by the old question or by the new one, but is never shown.
  call(the_system(), "insertOne", R"("document":{"_id":3,"owner_id":"u2"})");
  clock_.advance(1s);
  call(the_system(), "insertOne", R"("document":{"_id":4,"owner_id":"u1"})");
  const auto seen = watcher.wait_for(2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_NE(seen.back().find("%%request.x"), std::string::npos);
}

TEST_F(Documents, AWatchThatCannotBeIsRefusedAtOnce) {
  const auto refused = [&](const char* service, const char* text) {
    auto made = service_->watch(app_, user("u1"), service, document_of(text), [](auto) {});
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(refused("other", R"({"database":"d","collection":"c"})"), "service not found: 'other'");
  EXPECT_EQ(refused(kService, R"({"database":"d"})"), "'collection' is a required string");
  EXPECT_EQ(refused(kService, R"({"database":"d","collection":"c","ids":1})"), "'ids' must be an array");
  EXPECT_NE(refused(kService, R"({"database":"d","collection":"c","filter":{"a":{"$who":1}}})"), "");
}

}  // namespace
}  // namespace keyturn::server

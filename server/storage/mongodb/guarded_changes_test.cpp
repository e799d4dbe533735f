// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/guarded_changes.hpp"

#include "server/storage/mongodb/testing/test_store.hpp"

namespace keyturn::server::mongodb {
namespace {

using MongoRules = ScriptedStore;

std::string found(const std::string& documents) {
  return R"({"cursor":{"id":{"$numberLong":"0"},"ns":"shop.items","firstBatch":[)" + documents +
         R"(]},"ok":1})";
}

/// Sees what is not "draft", and of that not `price`.
std::shared_ptr<const DocumentGate> hiding_gate() {
  return gate_of(value_of(R"({"roles":[{"name":"reader","apply_when":{},)"
                          R"("document_filters":{"read":{"draft":false},"write":{"draft":false}},)"
                          R"("insert":true,"delete":true,)"
                          R"("fields":{"price":{"read":false,"write":false}},)"
                          R"("additional_fields":{"read":true,"write":true}}]})"));
}

TEST_F(MongoRules, QueriesOfOwnersGoToTheClusterBehindTheFilter) {
  const auto gate = owners_gate();
  FindQuery query;
  query.filter = document_of(R"({"$text":{"$search":"x"}})");
  query.sort = document_of(R"({"n":1})");
  query.limit = 5;
  query.gate = gate.get();
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1"})"));
  const auto seen = store_->find(kWhere, query);
  ASSERT_TRUE(seen.has_value()) << seen.error().message;
  EXPECT_EQ(seen->size(), 1U);
  EXPECT_EQ(peer_.last("find").find("filter")->to_relaxed(),
            R"({"$and":[{"owner_id":"u1"},{"$text":{"$search":"x"}}]})");
  EXPECT_NE(peer_.last("find").find("limit"), nullptr);
  peer_.answer("aggregate", found(R"({"n":3})"));
  EXPECT_EQ(*store_->count(kWhere, {}, 0, gate.get()), 3);
  EXPECT_EQ(peer_.last("aggregate").find("pipeline")->get_if<EjsonArray>()->front().to_relaxed(),
            R"({"$match":{"owner_id":"u1"}})");
  peer_.answer("distinct", R"({"ok":1,"values":[]})");
  ASSERT_TRUE(store_->distinct(kWhere, "n", {}, gate.get())->has_value());
  EXPECT_EQ(peer_.last("distinct").find("query")->to_relaxed(), R"({"owner_id":"u1"})");
}

TEST_F(MongoRules, JavaScriptInTheClusterIsNotForCallersUnderRules) {
  const auto gate = owners_gate();
  FindQuery query;
  query.gate = gate.get();
  query.filter = document_of(R"({"$or":[{"$where":"1 == 1"}]})");
  EXPECT_EQ(store_->find(kWhere, query).error().code, ErrorCode::MongoDBError);
  EXPECT_FALSE(store_->count(kWhere, query.filter, 0, gate.get()).has_value());
  EXPECT_FALSE(store_->distinct(kWhere, "n", query.filter, gate.get()).has_value());
  AggregateQuery pipeline;
  pipeline.gate = gate.get();
  pipeline.pipeline = *value_of(R"([{"$project":{"x":{"$function":{"body":"x","args":[],"lang":"js"}}}}])")
                           .get_if<EjsonArray>();
  EXPECT_FALSE(store_->aggregate(kWhere, pipeline).has_value());
  EXPECT_TRUE(peer_.commands().empty());
}

TEST_F(MongoRules, PipelinesBeginBehindTheFilterAndSoDoTheCollectionsTheyJoin) {
  const auto gate = owners_gate();
  AggregateQuery query;
  query.gate = gate.get();
  query.foreign_gates = {{"orders", gate.get()}};
  query.pipeline =
      *value_of(R"([{"$lookup":{"from":"orders","localField":"a","foreignField":"b","as":"o"}},)"
                R"({"$facet":{"x":[{"$unionWith":"orders"}]}},{"$setWindowFields":{"output":{}}}])")
           .get_if<EjsonArray>();
  EXPECT_EQ(*store_->foreign_collections(query.pipeline), std::vector<std::string>{"orders"});
  peer_.answer("aggregate", found(""));
  const auto done = store_->aggregate(kWhere, query);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(
      peer_.last("aggregate").find("pipeline")->to_relaxed(),
      R"([{"$match":{"owner_id":"u1"}},)"
      R"({"$lookup":{"from":"orders","localField":"a","foreignField":"b","as":"o",)"
      R"("pipeline":[{"$match":{"owner_id":"u1"}}]}},)"
      R"({"$facet":{"x":[{"$unionWith":{"coll":"orders","pipeline":[{"$match":{"owner_id":"u1"}}]}}]}},)"
      R"({"$setWindowFields":{"output":{}}}])");
  for (const char* stage : {R"({"$out":"x"})", R"({"$merge":{"into":"x"}})", R"({"$collStats":{}})",
                            R"({"$facet":{"x":[{"$out":"y"}]}})", R"({"$lookup":{"from":"others"}})",
                            R"({"$unionWith":{"coll":"orders","pipeline":[{"$out":"y"}]}})"}) {
    query.pipeline = {value_of(stage)};
    EXPECT_FALSE(store_->aggregate(kWhere, query).has_value()) << stage;
  }
  EXPECT_EQ(peer_.commands().size(), 1U);
}

TEST_F(MongoRules, HiddenMembersAreOutOfReachOfQueriesAndOrders) {
  const auto gate = hiding_gate();
  ASSERT_NE(gate, nullptr);
  FindQuery query;
  query.gate = gate.get();
  query.filter = document_of(R"({"price":{"$gt":1}})");
  peer_.answer("find", found(R"({"_id":1,"draft":false,"price":5})"));
  EXPECT_EQ(text_of(*store_->find(kWhere, query)), "[]");
  EXPECT_EQ(peer_.last("find").find("filter")->to_relaxed(), R"({"draft":false})");
  query.filter = document_of(R"({"n":{"$gt":0}})");
  query.sort = document_of(R"({"n":-1})");
  query.skip = 1;
  query.limit = 1;
  query.projection = document_of(R"({"n":1,"_id":0})");
  peer_.answer("find", found(R"({"_id":1,"draft":false,"price":5,"n":1},{"_id":2,"draft":false,"n":3},)"
                             R"({"_id":3,"draft":false,"n":2},{"_id":4,"draft":false,"n":0})"));
  EXPECT_EQ(text_of(*store_->find(kWhere, query)), R"([{"n":{"$numberInt":"2"}}])");
  EXPECT_EQ(peer_.last("find").find("sort"), nullptr);
  peer_.answer("find", found(R"({"_id":1,"draft":false,"price":5,"n":1},{"_id":2,"draft":false,"n":3})"));
  AggregateQuery sum;
  sum.gate = gate.get();
  sum.pipeline =
      *value_of(R"([{"$group":{"_id":null,"p":{"$sum":"$price"},"n":{"$sum":"$n"}}}])").get_if<EjsonArray>();
  EXPECT_EQ(Ejson(store_->aggregate(kWhere, sum)->front()).to_relaxed(), R"({"_id":null,"p":0,"n":4})");
}

TEST_F(MongoRules, AnUpdateIsReadMadeAskedAboutAndCommittedInOneTransaction) {
  const auto gate = owners_gate();
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1","n":1})"));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1","n":2})"));
  UpdateQuery query;
  query.filter = document_of(R"({"n":1})");
  query.update = value_of(R"({"$inc":{"n":1}})");
  query.gate = gate.get();
  const auto done = store_->update(kWhere, query);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->matched, 1);
  EXPECT_EQ(done->modified, 1);
  const EjsonDocument update = peer_.last("update");
  EXPECT_EQ(*update.find("autocommit"), Ejson(false));
  EXPECT_EQ(update.find("updates")->get_if<EjsonArray>()->front().find("q")->to_relaxed(),
            R"({"$and":[{"_id":1},{"n":1}]})");
  const EjsonDocument commit = peer_.last("commitTransaction");
  ASSERT_NE(commit.find("txnNumber"), nullptr);
  EXPECT_EQ(*commit.find("txnNumber"), *update.find("txnNumber"));
  const EjsonDocument read = peer_.last("find");
  EXPECT_EQ(*read.find("txnNumber"), *update.find("txnNumber"));
}

TEST_F(MongoRules, NothingIsKeptOfWhatTheRulesRefuse) {
  const auto gate = owners_gate();
  UpdateQuery query;
  query.update = value_of(R"({"$set":{"owner_id":"u2"}})");
  query.gate = gate.get();
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1"})"));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u2"})"));
  const auto given_away = store_->update(kWhere, query);
  ASSERT_FALSE(given_away.has_value());
  EXPECT_EQ(given_away.error().code, ErrorCode::NoMatchingRuleFound);
  EXPECT_EQ(given_away.error().message, "update not permitted");
  EXPECT_TRUE(peer_.wait_for("abortTransaction"));
  // No new document came of an upsert.
  query.upsert = true;
  peer_.answer("find", found(""));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  EXPECT_EQ(store_->update(kWhere, query).error().message, "update not permitted");
  EXPECT_TRUE(peer_.wait_for("abortTransaction", 2));
  // A new document that would be somebody else's.
  peer_.answer("find", found(""));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":0,"upserted":[{"index":0,"_id":7}]})");
  peer_.answer("find", found(R"({"_id":7,"owner_id":"u2"})"));
  EXPECT_EQ(store_->update(kWhere, query).error().message, "insert not permitted");
  EXPECT_TRUE(peer_.wait_for("abortTransaction", 3));
  EXPECT_EQ(store_->insert(kWhere, {{document_of(R"({"owner_id":"u2"})")}, true, gate.get()}).error().message,
            "insert not permitted");
  EXPECT_TRUE(peer_.last("commitTransaction").empty());
  EXPECT_TRUE(peer_.last("insert").empty());
}

TEST_F(MongoRules, AnUpdateThatNamesWhatMayNotBeWrittenIsNotSent) {
  const auto gate = hiding_gate();
  UpdateQuery query;
  query.gate = gate.get();
  for (const char* update :
       {R"({"$max":{"price":4}})", R"({"$set":{"price":5}})", R"({"$bit":{"price":{"or":0}}})",
        R"({"$rename":{"n":"price"}})", R"({"n":1,"price":5})"}) {
    query.update = value_of(update);
    peer_.answer("find", found(R"({"_id":1,"draft":false,"price":5,"n":1})"));
    const auto done = store_->update(kWhere, query);
    ASSERT_FALSE(done.has_value()) << update;
    EXPECT_EQ(done.error().message, "update not permitted") << update;
  }
  EXPECT_TRUE(peer_.last("update").empty());
}

TEST_F(MongoRules, AFaultOfTheClusterTellsNothingThatIsHidden) {
  const auto gate = gate_of(value_of(
      R"({"roles":[{"apply_when":{},"insert":true,"additional_fields":{"read":true,"write":true},)"
      R"("fields":{"price":{"read":false,"write":{"%%prevRoot.open":true,"%%root.open":false}}}}]})"));
  UpdateQuery query;
  query.gate = gate.get();
  const char* stored = R"({"_id":1,"open":true,"price":"x","n":"y"})";
  const auto update = [&](const char* change, const char* fault) {
    query.update = value_of(change);
    peer_.answer("find", found(stored));
    peer_.answer("update", R"({"ok":1,"n":0,"writeErrors":[{"index":0,)" + std::string(fault) + "}]}");
    const auto done = store_->update(kWhere, query);
    return done ? "done" : done.error().message;
  };
  EXPECT_EQ(update(R"({"$set":{"open":false},"$inc":{"price":1}})",
                   R"("code":14,"errmsg":"Cannot apply $inc to {price: 'x'}")"),
            "update not permitted");
  EXPECT_EQ(update(R"({"$inc":{"n":1}})", R"("code":14,"errmsg":"Cannot apply $inc to {n: 'y'}")"),
            "Cannot apply $inc to {n: 'y'} (code 14)");
  EXPECT_EQ(update(R"({"$set":{"n":1}})", R"("code":11000,"errmsg":"E11000 dup key: { n: 1, price: 'x' }")"),
            "Duplicate key error");
}

TEST_F(MongoRules, AnUpsertMeetsNothingThatItsCallerDoesNotSee) {
  const auto gate = owners_gate();
  UpdateQuery query;
  query.filter = document_of(R"({"owner_id":"u1","secret":{"$gt":5}})");
  query.update = value_of(R"({"$set":{"n":1}})");
  query.upsert = true;
  query.gate = gate.get();
  peer_.answer("find", found(""));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":0,"upserted":[{"index":0,"_id":7}]})");
  peer_.answer("find", found(R"({"_id":7,"owner_id":"u1","n":1})"));
  const auto done = store_->update(kWhere, query);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(*done->upserted_id, Ejson(7));
  EXPECT_EQ(peer_.last("update").find("updates")->get_if<EjsonArray>()->front().find("q")->to_relaxed(),
            R"({"$and":[{"_id":{"$exists":false}},{"owner_id":"u1","secret":{"$gt":5}}]})");
}

TEST_F(MongoRules, RemovalsAndFindAndModifyAskTheGateToo) {
  const auto kept = gate_of(value_of(R"({"roles":[{"name":"r","apply_when":{},"read":true,"write":true,)"
                                     R"("insert":true,"delete":{"%%root.kept":{"%ne":true}}}]})"));
  peer_.answer("find", found(R"({"_id":1},{"_id":2,"kept":true})"));
  EXPECT_EQ(store_->remove(kWhere, {}, true, kept.get()).error().message, "delete not permitted");
  EXPECT_TRUE(peer_.last("delete").empty());
  peer_.answer("find", found(R"({"_id":1},{"_id":3})"));
  peer_.answer("delete", R"({"ok":1,"n":2})");
  EXPECT_EQ(*store_->remove(kWhere, {}, true, kept.get()), 2);
  EXPECT_EQ(peer_.last("delete").find("deletes")->get_if<EjsonArray>()->front().find("q")->to_relaxed(),
            R"({"_id":{"$in":[1,3]}})");
  const auto hides = hiding_gate();
  FindAndModifyQuery query;
  query.filter = document_of(R"({"n":1})");
  query.update = value_of(R"({"$set":{"n":2}})");
  query.return_new = true;
  query.gate = hides.get();
  peer_.answer("find", found(R"({"_id":1,"draft":false,"price":5,"n":1})"));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  peer_.answer("find", found(R"({"_id":1,"draft":false,"price":5,"n":2})"));
  const auto seen = store_->find_and_modify(kWhere, query);
  ASSERT_TRUE(seen.has_value()) << seen.error().message;
  ASSERT_TRUE(seen->has_value());
  EXPECT_EQ(Ejson(**seen).to_relaxed(), R"({"_id":1,"draft":false,"n":2})");
  EXPECT_EQ(peer_.last("update").find("updates")->get_if<EjsonArray>()->front().find("q")->to_relaxed(),
            R"({"_id":1})");
}

TEST_F(MongoRules, AChangeIsTriedAgainWhenOthersCameBetween) {
  const auto gate = owners_gate();
  UpdateQuery query;
  query.update = value_of(R"({"$set":{"n":1}})");
  query.gate = gate.get();
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1"})"));
  peer_.answer("update", R"({"ok":0,"code":112,"codeName":"WriteConflict","errmsg":"write conflict",)"
                         R"("errorLabels":["TransientTransactionError"]})");
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1"})"));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  peer_.answer("find", found(R"({"_id":1,"owner_id":"u1","n":1})"));
  const auto done = store_->update(kWhere, query);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_TRUE(peer_.wait_for("commitTransaction"));
  for (int i = 0; i < 5; ++i) {
    peer_.answer(
        "find",
        R"({"ok":0,"code":112,"errmsg":"write conflict","errorLabels":["TransientTransactionError"]})");
  }
  EXPECT_EQ(store_->update(kWhere, query).error().code, ErrorCode::ServiceUnavailable);
}

TEST(MongoAlone, ChangesUnderRulesNeedTransactions) {
  ScriptedMongo peer(false);
  keyturn::testing::FakeClock clock;
  const auto store = open_store(peer.uri(), clock);
  const auto gate = owners_gate();
  for (int i = 0; i < 2; ++i) {
    peer.answer("find", R"({"ok":0,"code":20,"codeName":"IllegalOperation","errmsg":)"
                        R"("Transaction numbers are only allowed on a replica set member or mongos"})");
  }
  const auto done = store->remove({"app", "s", "shop", "items"}, {}, false, gate.get());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::MongoDBError);
  EXPECT_NE(done.error().message.find("replica set"), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace keyturn::server::mongodb

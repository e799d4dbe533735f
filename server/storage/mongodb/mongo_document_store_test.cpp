// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/mongo_document_store.hpp"

#include "server/storage/mongodb/testing/test_store.hpp"

namespace keyturn::server::mongodb {
namespace {

using MongoStore = ScriptedStore;

constexpr const char* kEveryType =
    R"({"_id":{"$oid":"0123456789abcdef01234567"},"a":{"$numberInt":"1"},"b":{"$numberLong":"1"},)"
    R"("c":{"$numberDouble":"1.0"},"d":{"$numberDecimal":"1.00"},"e":{"$date":{"$numberLong":"-1"}},)"
    R"("f":{"$binary":{"base64":"AAEC","subType":"04"}},"g":{"$timestamp":{"t":1,"i":2}},)"
    R"("h":{"$regularExpression":{"pattern":"^a","options":"i"}},"i":{"$minKey":1},"j":{"$maxKey":1},)"
    R"("k":null,"l":[true,{"m":"text"}]})";

std::string cursor_of(const std::string& documents) {
  return R"({"cursor":{"id":{"$numberLong":"0"},"ns":"shop.items","firstBatch":[)" + documents +
         R"(]},"ok":1})";
}

TEST_F(MongoStore, FindSendsAndReturnsEachTypeExactly) {
  peer_.answer("find", cursor_of(kEveryType));
  FindQuery query;
  query.filter = document_of(kEveryType);
  query.projection = document_of(R"({"a":1})");
  query.sort = document_of(R"({"b":-1})");
  query.skip = 2;
  query.limit = 3;
  const auto found = store_->find(kWhere, query);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(text_of(*found), "[" + std::string(kEveryType) + "]");
  const auto commands = peer_.commands();
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0], R"({"find":"items","filter":)" + std::string(kEveryType) +
                             R"(,"projection":{"a":{"$numberInt":"1"}},"sort":{"b":{"$numberInt":"-1"}},)"
                             R"("skip":{"$numberLong":"2"},"limit":{"$numberLong":"3"},)"
                             R"("maxTimeMS":{"$numberLong":"400"}})");
  EXPECT_EQ(*peer_.last("find").find("$db"), Ejson("shop"));
}

TEST_F(MongoStore, FindReadsOnWithTheCursor) {
  peer_.answer("find",
               R"({"cursor":{"id":{"$numberLong":"7"},"ns":"shop.items","firstBatch":[{"_id":1}]},"ok":1})");
  peer_.answer("getMore",
               R"({"cursor":{"id":{"$numberLong":"0"},"ns":"shop.items","nextBatch":[{"_id":2}]},"ok":1})");
  const auto found = store_->find(kWhere, {});
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->size(), 2U);
  EXPECT_EQ(*peer_.last("getMore").find("getMore"), Ejson(std::int64_t{7}));
}

TEST_F(MongoStore, InsertSendsDocumentsAndMakesMissingIds) {
  peer_.answer("insert", R"({"ok":1,"n":2})");
  const auto ids = store_->insert(kWhere, {{document_of(kEveryType), document_of(R"({"n":1})")}});
  ASSERT_TRUE(ids.has_value()) << ids.error().message;
  ASSERT_EQ(ids->size(), 2U);
  EXPECT_NE((*ids)[1].get_if<ObjectId>(), nullptr);
  const EjsonDocument command = peer_.last("insert");
  const auto& sent = *command.find("documents")->get_if<EjsonArray>();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].to_canonical(), kEveryType);
  EXPECT_EQ(*sent[1].find("_id"), (*ids)[1]);
  EXPECT_EQ(*command.find("ordered"), Ejson(true));
}

TEST_F(MongoStore, InsertWithoutOrderIsSentSoAndAnswersTheFirstFault) {
  peer_.answer("insert", R"({"ok":1,"n":1,"writeErrors":[{"index":0,"code":11000,"errmsg":"E11000 first"},)"
                         R"({"index":2,"code":2,"errmsg":"second"}]})");
  const auto ids = store_->insert(
      kWhere,
      {{document_of(R"({"_id":1})"), document_of(R"({"_id":2})"), document_of(R"({"_id":3})")}, false});
  ASSERT_FALSE(ids.has_value());
  EXPECT_EQ(ids.error().message, "Duplicate key error: E11000 first (code 11000)");
  EXPECT_EQ(*peer_.last("insert").find("ordered"), Ejson(false));
}

/// Nobody may insert what has `denied`, and what has `unfit` does not fit the schema.
class InsertGate final : public DocumentGate {
 public:
  [[nodiscard]] EjsonDocument prefilter() const override { return {}; }
  [[nodiscard]] bool hides_members() const override { return false; }
  [[nodiscard]] std::optional<EjsonDocument> view(const EjsonDocument& document) const override {
    return document;
  }
  [[nodiscard]] Result<void> check_insert(const EjsonDocument& after) const override {
    if (after.contains("denied")) return Error(ErrorCode::NoMatchingRuleFound, "insert not permitted");
    if (after.contains("unfit")) return Error(ErrorCode::SchemaValidationFailedWrite, "unfit");
    return {};
  }
  [[nodiscard]] Result<void> check_named(const EjsonDocument&,
                                         const std::vector<documents::Path>&) const override {
    return {};
  }
  [[nodiscard]] Result<void> check_update(const EjsonDocument&, const EjsonDocument&,
                                          const std::vector<documents::Path>&) const override {
    return {};
  }
  [[nodiscard]] Result<void> check_remove(const EjsonDocument&) const override { return {}; }
};

TEST_F(MongoStore, InsertSendsWhatFitsItsSchemaAndNothingThatRulesRefuse) {
  const InsertGate gate;
  const auto insert = [&](const char* second, bool ordered) {
    const auto ids = store_->insert(
        kWhere,
        {{document_of(R"({"_id":1})"), document_of(second), document_of(R"({"_id":3})")}, ordered, &gate});
    return ids ? "none" : ids.error().message;
  };
  EXPECT_EQ(insert(R"({"denied":1})", true), "insert not permitted");
  EXPECT_EQ(insert(R"({"denied":1})", false), "insert not permitted");
  EXPECT_TRUE(peer_.last("insert").empty());
  peer_.answer("insert", R"({"ok":1,"n":1})");
  EXPECT_EQ(insert(R"({"unfit":1})", true), "unfit");
  EXPECT_EQ(peer_.last("insert").find("documents")->to_relaxed(), R"([{"_id":1}])");
  peer_.answer("insert", R"({"ok":1,"n":2})");
  EXPECT_EQ(insert(R"({"unfit":1})", false), "unfit");
  EXPECT_EQ(peer_.last("insert").find("documents")->to_relaxed(), R"([{"_id":1},{"_id":3}])");
  EXPECT_EQ(store_->insert(kWhere, {{document_of(R"({"unfit":1})")}, true, &gate}).error().message, "unfit");
}

TEST_F(MongoStore, UpdateSendsOperatorsAndTellsWhatWasDone) {
  peer_.answer("update",
               R"({"ok":1,"n":1,"nModified":0,"upserted":[{"index":0,"_id":{"$numberLong":"9"}}]})");
  UpdateQuery query;
  query.filter = document_of(R"({"a":{"$numberLong":"1"}})");
  query.update = value_of(R"({"$set":{"list.$[x].n":{"$numberDecimal":"0.10"}}})");
  query.array_filters = *value_of(R"([{"x.n":1}])").get_if<EjsonArray>();
  query.upsert = true;
  const auto done = store_->update(kWhere, query);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->matched, 0);
  ASSERT_TRUE(done->upserted_id.has_value());
  EXPECT_EQ(*done->upserted_id, Ejson(std::int64_t{9}));
  EXPECT_EQ(peer_.last("update").find("updates")->get_if<EjsonArray>()->front().to_canonical(),
            R"({"q":{"a":{"$numberLong":"1"}},"u":{"$set":{"list.$[x].n":{"$numberDecimal":"0.10"}}},)"
            R"("upsert":true,"arrayFilters":[{"x.n":{"$numberInt":"1"}}]})");
}

TEST_F(MongoStore, ManyReplaceAndRemoveSayWhatTheyAre) {
  peer_.answer("update", R"({"ok":1,"n":3,"nModified":2})");
  UpdateQuery many;
  many.update = value_of(R"({"$inc":{"n":1}})");
  many.many = true;
  const auto changed = store_->update(kWhere, many);
  ASSERT_TRUE(changed.has_value()) << changed.error().message;
  EXPECT_EQ(changed->matched, 3);
  EXPECT_EQ(changed->modified, 2);
  many.update = value_of(R"({"n":1})");
  EXPECT_EQ(store_->update(kWhere, many).error().code, ErrorCode::MongoDBError);
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  many.many = false;
  ASSERT_TRUE(store_->update(kWhere, many).has_value());
  peer_.answer("delete", R"({"ok":1,"n":4})");
  EXPECT_EQ(*store_->remove(kWhere, document_of(R"({"n":1})"), true, nullptr), 4);
  peer_.answer("delete", R"({"ok":1,"n":1})");
  EXPECT_EQ(*store_->remove(kWhere, document_of(R"({"n":1})"), false, nullptr), 1);
  const std::string all = sent();
  EXPECT_NE(all.find(R"({"q":{},"u":{"$inc":{"n":1}},"multi":true})"), std::string::npos) << all;
  EXPECT_NE(all.find(R"({"q":{},"u":{"n":1}})"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("deletes":[{"q":{"n":1},"limit":0}])"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("deletes":[{"q":{"n":1},"limit":1}])"), std::string::npos) << all;
}

TEST_F(MongoStore, FindAndModifyAnswersTheDocumentOrNothing) {
  peer_.answer("findAndModify", R"({"ok":1,"value":{"_id":1,"n":{"$numberLong":"5"}}})");
  FindAndModifyQuery query;
  query.filter = document_of(R"({"_id":1})");
  query.sort = document_of(R"({"n":1})");
  query.projection = document_of(R"({"n":1})");
  query.update = value_of(R"({"$set":{"a.$[x]":1}})");
  query.array_filters = *value_of(R"([{"x":2}])").get_if<EjsonArray>();
  query.upsert = true;
  query.return_new = true;
  const auto found = store_->find_and_modify(kWhere, query);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ(*(*found)->find("n"), Ejson(std::int64_t{5}));
  const EjsonDocument command = peer_.last("findAndModify");
  EXPECT_EQ(command.find("query")->to_relaxed(), R"({"_id":1})");
  EXPECT_EQ(command.find("sort")->to_relaxed(), R"({"n":1})");
  EXPECT_EQ(command.find("fields")->to_relaxed(), R"({"n":1})");
  EXPECT_EQ(command.find("update")->to_relaxed(), R"({"$set":{"a.$[x]":1}})");
  EXPECT_EQ(command.find("arrayFilters")->to_relaxed(), R"([{"x":2}])");
  EXPECT_EQ(*command.find("new"), Ejson(true));
  EXPECT_EQ(*command.find("upsert"), Ejson(true));
  peer_.answer("findAndModify", R"({"ok":1,"value":null})");
  query.update.reset();
  const auto removed = store_->find_and_modify(kWhere, query);
  ASSERT_TRUE(removed.has_value()) << removed.error().message;
  EXPECT_FALSE(removed->has_value());
  EXPECT_EQ(*peer_.last("findAndModify").find("remove"), Ejson(true));
}

TEST_F(MongoStore, CountDistinctAndAggregateAreTheClustersOwn) {
  peer_.answer("aggregate", cursor_of(R"({"n":{"$numberInt":"12"}})"));
  EXPECT_EQ(*store_->count(kWhere, document_of(R"({"$text":{"$search":"x"}})"), 20, nullptr), 12);
  EXPECT_EQ(peer_.last("aggregate").find("pipeline")->to_relaxed(),
            R"([{"$match":{"$text":{"$search":"x"}}},{"$limit":20},{"$group":{"_id":1,"n":{"$sum":1}}}])");
  peer_.answer("distinct", R"({"ok":1,"values":[{"$numberLong":"1"},"a"]})");
  const auto values = store_->distinct(kWhere, "tag", document_of(R"({"n":1})"), nullptr);
  ASSERT_TRUE(values.has_value() && values->has_value());
  EXPECT_EQ(Ejson(**values).to_canonical(), R"([{"$numberLong":"1"},"a"])");
  peer_.answer("aggregate", cursor_of(R"({"_id":"a"})"));
  AggregateQuery query;
  query.pipeline = *value_of(R"([{"$densify":{"field":"n"}}])").get_if<EjsonArray>();
  ASSERT_TRUE(store_->aggregate(kWhere, query).has_value());
  EXPECT_EQ(peer_.last("aggregate").find("pipeline")->to_relaxed(), R"([{"$densify":{"field":"n"}}])");
}

TEST_F(MongoStore, IndexesAreThoseOfTheCluster) {
  peer_.answer(
      "listIndexes",
      cursor_of(R"({"v":2,"key":{"_id":1},"name":"_id_"},{"v":2,"key":{"a":1},"name":"a_1","unique":true})"));
  const auto list = store_->indexes(kWhere);
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->size(), 2U);
  EXPECT_TRUE((*list)[1].unique);
  IndexDefinition index;
  index.name = "a_1_b_1";
  index.keys = document_of(R"({"a":1,"b":1})");
  ASSERT_TRUE(store_->create_index(kWhere, index).has_value());
  EXPECT_EQ(peer_.last("createIndexes").find("indexes")->to_relaxed(),
            R"([{"key":{"a":1,"b":1},"name":"a_1_b_1"}])");
  EXPECT_EQ(*store_->drop_index(kWhere, "a_1"), true);
  peer_.answer("dropIndexes", R"({"ok":0,"code":27,"codeName":"IndexNotFound","errmsg":"index not found"})");
  EXPECT_EQ(*store_->drop_index(kWhere, "a_1"), false);
}

TEST_F(MongoStore, NamesThatMeanAnotherCollectionAreRefused) {
  for (const auto& [database, collection] : {std::pair<std::string, std::string>{"shop.x", "items"},
                                             {std::string("shop\0x", 6), "items"},
                                             {"shop", std::string("items\0x", 7)},
                                             {"shop", "$cmd"},
                                             {"", "items"},
                                             {std::string(64, 'a'), "items"}}) {
    const auto found = store_->find({"app", "mongodb-atlas", database, collection}, {});
    ASSERT_FALSE(found.has_value()) << database;
    EXPECT_EQ(found.error().code, ErrorCode::MongoDBError);
  }
  const auto gate = owners_gate();
  FindQuery query;
  query.gate = gate.get();
  EXPECT_FALSE(store_->find({"app", "mongodb-atlas", "admin", "system.users"}, query).has_value());
  EXPECT_FALSE(store_->find({"app", "mongodb-atlas", "shop", "system.views"}, query).has_value());
  EXPECT_TRUE(peer_.commands().empty());
}

}  // namespace
}  // namespace keyturn::server::mongodb

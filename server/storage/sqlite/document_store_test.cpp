// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/document_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/testing/fake_clock.hpp"
#include "server/domain/documents/test_text.hpp"
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/stores.hpp"
#include "server/storage/sqlite/test_folder.hpp"

namespace keyturn::server::sqlite {
namespace {

using documents::document_of;
using documents::value_of;

/// Shows an owner's documents without their `hidden`, and lets nothing be given away or taken.
class OwnersGate final : public DocumentGate {
 public:
  explicit OwnersGate(std::string owner, bool hides = false) : owner_(std::move(owner)), hides_(hides) {}
  [[nodiscard]] EjsonDocument prefilter() const override { return {{"owner", owner_}}; }
  [[nodiscard]] bool hides_members() const override { return hides_; }
  [[nodiscard]] std::optional<EjsonDocument> view(const EjsonDocument& document) const override {
    if (!is_own(document)) return std::nullopt;
    EjsonDocument seen = document;
    if (hides_) seen.erase("hidden");
    return seen;
  }
  [[nodiscard]] Result<void> check_insert(const EjsonDocument& after) const override {
    return verdict(is_own(after), "insert not permitted");
  }
  [[nodiscard]] Result<void> check_named(const EjsonDocument& before,
                                         const std::vector<documents::Path>&) const override {
    return verdict(is_own(before), "update not permitted");
  }
  [[nodiscard]] Result<void> check_update(const EjsonDocument& before, const EjsonDocument& after,
                                          const std::vector<documents::Path>&) const override {
    return verdict(is_own(before) && is_own(after), "update not permitted");
  }
  [[nodiscard]] Result<void> check_remove(const EjsonDocument& before) const override {
    return verdict(!before.contains("kept"), "delete not permitted");
  }

 private:
  [[nodiscard]] bool is_own(const EjsonDocument& document) const {
    const Ejson* owner = document.find("owner");
    return owner != nullptr && *owner == Ejson(owner_);
  }
  static Result<void> verdict(bool allowed, const char* text) {
    if (allowed) return {};
    return Error(ErrorCode::NoMatchingRuleFound, text);
  }
  std::string owner_;
  bool hides_;
};

class SqliteDocuments : public ::testing::Test {
 protected:
  SqliteDocuments() { open(); }
  void open() {
    store_.reset();
    database_.reset();
    auto database = Database::open({.folder = folder_.path, .diagnostics = nullptr});
    ASSERT_TRUE(database.has_value());
    database_ = std::move(*database);
    store_ = make_document_store(*database_, {clock_, [this](std::size_t count) {
                                                std::string bytes = std::to_string(1'000'000 + ++random_);
                                                bytes.resize(count, 'x');
                                                return bytes;
                                              }});
  }
  std::string found(std::string_view filter, FindQuery query = {}) {
    query.filter = document_of(filter);
    auto documents = store_->find(kWhere, query);
    if (!documents) return documents.error().message;
    EjsonArray list;
    for (EjsonDocument& each : *documents) list.emplace_back(std::move(each));
    return Ejson(list).to_relaxed();
  }
  void insert(std::initializer_list<const char*> texts) {
    std::vector<EjsonDocument> documents;
    for (const char* text : texts) documents.push_back(document_of(text));
    const auto ids = store_->insert(kWhere, {documents});
    ASSERT_TRUE(ids.has_value()) << ids.error().message;
  }
  Result<UpdateResult> update(std::string_view filter, std::string_view change, bool many = false,
                              bool upsert = false) {
    return store_->update(kWhere, {.filter = document_of(filter),
                                   .update = value_of(change),
                                   .array_filters = {},
                                   .upsert = upsert,
                                   .many = many,
                                   .guard = {}});
  }

  const CollectionName kWhere{"app", "mongodb-atlas", "shop", "items"};
  TestFolder folder_;
  keyturn::testing::FakeClock clock_;
  std::atomic<int> random_ = 0;
  std::unique_ptr<Database> database_;
  std::unique_ptr<DocumentStore> store_;
};

TEST_F(SqliteDocuments, KeepsWhatWasInsertedAcrossAReopening) {
  insert({R"({"_id":1,"a":{"$numberLong":"5"}})", R"({"a":"x"})"});
  open();
  const auto documents = store_->find(kWhere, {});
  ASSERT_TRUE(documents.has_value());
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ(Ejson((*documents)[0]).to_canonical(), R"({"_id":{"$numberInt":"1"},"a":{"$numberLong":"5"}})");
  EXPECT_NE((*documents)[1].find("_id")->get_if<ObjectId>(), nullptr);
}

TEST_F(SqliteDocuments, IdIsUniqueWhateverItsNumericType) {
  insert({R"({"_id":1})"});
  const auto again = store_->insert(kWhere, {{document_of(R"({"_id":{"$numberLong":"1"}})")}});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::MongoDBError);
  EXPECT_NE(again.error().message.find("Duplicate key error"), std::string::npos);
  EXPECT_EQ(found("{}"), R"([{"_id":1}])");
}

TEST_F(SqliteDocuments, UnfitIdsAndEmptyInsertsAreRefused) {
  EXPECT_FALSE(store_->insert(kWhere, {{document_of(R"({"_id":[1]})")}}).has_value());
  EXPECT_EQ(store_->insert(kWhere, {}).error().message, "must provide at least one element");
}

TEST_F(SqliteDocuments, AnEmptyTimestampIsFilledInWhereItIsInserted) {
  insert(
      {R"({"_id":{"$timestamp":{"t":0,"i":0}},"t":{"$timestamp":{"t":0,"i":0}},"n":[{"$timestamp":{"t":0,"i":0}}]})"});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall_now().time_since_epoch());
  const std::string zero = R"({"$timestamp":{"t":0,"i":0}})";
  EXPECT_EQ(found("{}"), R"([{"_id":)" + zero + R"(,"t":{"$timestamp":{"t":)" +
                             std::to_string(seconds.count()) + R"(,"i":1}},"n":[)" + zero + "]}]");
}

TEST_F(SqliteDocuments, FindSortsSkipsLimitsAndProjects) {
  insert({R"({"_id":1,"n":3})", R"({"_id":2,"n":1})", R"({"_id":3,"n":2})"});
  FindQuery query;
  query.sort = document_of(R"({"n":1})");
  query.skip = 1;
  query.limit = 1;
  query.projection = document_of(R"({"n":1,"_id":0})");
  EXPECT_EQ(found("{}", query), R"([{"n":2}])");
  EXPECT_EQ(*store_->count(kWhere, document_of(R"({"n":{"$gt":1}})"), 0, nullptr), 2);
  EXPECT_EQ(*store_->count(kWhere, {}, 2, nullptr), 2);
}

TEST_F(SqliteDocuments, CollectionsAppsAndServicesAreApart) {
  insert({R"({"_id":1})"});
  for (const CollectionName& other : {CollectionName{"other", "mongodb-atlas", "shop", "items"},
                                      CollectionName{"app", "other", "shop", "items"},
                                      CollectionName{"app", "mongodb-atlas", "other", "items"},
                                      CollectionName{"app", "mongodb-atlas", "shop", "other"}}) {
    EXPECT_TRUE(store_->find(other, {})->empty());
  }
  ASSERT_TRUE(store_->remove_app("app").has_value());
  EXPECT_EQ(found("{}"), "[]");
}

TEST_F(SqliteDocuments, UpdatesCountWhatMatchedAndWhatChanged) {
  insert({R"({"_id":1,"n":1})", R"({"_id":2,"n":1})", R"({"_id":3,"n":2})"});
  auto one = update(R"({"n":1})", R"({"$set":{"m":1}})");
  EXPECT_EQ(one->matched, 1);
  EXPECT_EQ(one->modified, 1);
  auto many = update(R"({"n":1})", R"({"$set":{"m":1}})", true);
  EXPECT_EQ(many->matched, 2);
  EXPECT_EQ(many->modified, 1);
  EXPECT_EQ(found(R"({"m":1})"), R"([{"_id":1,"n":1,"m":1},{"_id":2,"n":1,"m":1}])");
  EXPECT_FALSE(update(R"({"n":2})", R"({"a":1})", true).has_value());
  EXPECT_EQ(found(R"({"n":2})"), R"([{"_id":3,"n":2}])");
}

TEST_F(SqliteDocuments, FailedUpdateOfManyChangesNone) {
  insert({R"({"_id":1,"n":1})", R"({"_id":2,"n":"x"})"});
  EXPECT_FALSE(update("{}", R"({"$inc":{"n":1}})", true).has_value());
  EXPECT_EQ(found("{}"), R"([{"_id":1,"n":1},{"_id":2,"n":"x"}])");
}

TEST_F(SqliteDocuments, UpsertStartsFromTheFiltersEqualities) {
  auto first =
      update(R"({"a.b":1,"c":{"$gt":5}})", R"({"$set":{"d":2},"$setOnInsert":{"e":3}})", false, true);
  ASSERT_TRUE(first->upserted_id.has_value());
  EXPECT_EQ(first->matched, 0);
  EXPECT_NE(found("{}").find(R"("a":{"b":1},"d":2,"e":3)"), std::string::npos) << found("{}");
  auto by_id = update(R"({"_id":7})", R"({"x":1})", false, true);
  EXPECT_EQ(*by_id->upserted_id, Ejson(7));
  auto again = update(R"({"_id":7})", R"({"$set":{"x":2}})", false, true);
  EXPECT_FALSE(again->upserted_id.has_value());
  EXPECT_EQ(found(R"({"_id":7})"), R"([{"_id":7,"x":2}])");
}

TEST_F(SqliteDocuments, GuardStopsWhatItDoesNotMatch) {
  insert({R"({"_id":1,"owner":"a"})"});
  UpdateQuery query{.filter = {},
                    .update = value_of(R"({"$set":{"owner":"b"}})"),
                    .array_filters = {},
                    .upsert = false,
                    .many = false,
                    .guard = document_of(R"({"owner":"a"})")};
  const auto refused = store_->update(kWhere, query);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::NoMatchingRuleFound);
  EXPECT_EQ(found("{}"), R"([{"_id":1,"owner":"a"}])");
}

TEST_F(SqliteDocuments, FindAndModifyAnswersOldOrNew) {
  insert({R"({"_id":1,"n":5})", R"({"_id":2,"n":3})"});
  FindAndModifyQuery query;
  query.sort = document_of(R"({"n":1})");
  query.update = value_of(R"({"$inc":{"n":10}})");
  EXPECT_EQ(Ejson(**store_->find_and_modify(kWhere, query)).to_relaxed(), R"({"_id":2,"n":3})");
  query.return_new = true;
  EXPECT_EQ(Ejson(**store_->find_and_modify(kWhere, query)).to_relaxed(), R"({"_id":1,"n":15})");
  query.update.reset();
  EXPECT_EQ(Ejson(**store_->find_and_modify(kWhere, query)).to_relaxed(), R"({"_id":2,"n":13})");
  EXPECT_EQ(found("{}"), R"([{"_id":1,"n":15}])");
}

TEST_F(SqliteDocuments, RemovesOneOrMany) {
  insert({R"({"_id":1,"n":1})", R"({"_id":2,"n":1})", R"({"_id":3,"n":1})"});
  EXPECT_EQ(*store_->remove(kWhere, document_of(R"({"n":1})"), false, nullptr), 1);
  EXPECT_EQ(*store_->remove(kWhere, document_of(R"({"n":1})"), true, nullptr), 2);
}

// An index may change nothing but the time: every answer is compared with that of a collection without one.
TEST_F(SqliteDocuments, IndexFindsExactlyWhatAScanFinds) {
  const char* const texts[] = {
      R"({"_id":1,"t":"a"})", R"({"_id":2,"t":["a","b"]})", R"({"_id":3,"t":null})",
      R"({"_id":4})",         R"({"_id":5,"t":[]})",        R"({"_id":6,"t":[["a"]]})",
      R"({"_id":7,"t":1})",   R"({"_id":8,"t":1.0})",       R"({"_id":9,"t":{"a":1}})"};
  const char* const filters[] = {R"({"t":"a"})",
                                 R"({"t":null})",
                                 R"({"t":[]})",
                                 R"({"t":["a"]})",
                                 R"({"t":["a","b"]})",
                                 R"({"t":{"$in":["b",1]}})",
                                 R"({"t":{"$numberLong":"1"}})",
                                 R"({"t":{"a":1}})",
                                 R"({"t":{"$ne":"a"}})",
                                 R"({"t":"zzz"})",
                                 R"({"t":"a","_id":2})"};
  for (const char* text : texts) insert({text});
  std::vector<std::string> scanned;
  for (const char* filter : filters) scanned.push_back(found(filter));
  ASSERT_TRUE(store_->create_index(kWhere, {"by_t", document_of(R"({"t":1})"), false}).has_value());
  for (std::size_t i = 0; i < std::size(filters); ++i) EXPECT_EQ(found(filters[i]), scanned[i]) << filters[i];
  ASSERT_TRUE(update(R"({"_id":1})", R"({"$set":{"t":"c"}})").has_value());
  EXPECT_EQ(found(R"({"t":"c"})"), R"([{"_id":1,"t":"c"}])");
  EXPECT_EQ(found(R"({"t":"a"})"), R"([{"_id":2,"t":["a","b"]}])");
  ASSERT_TRUE(store_->remove(kWhere, document_of(R"({"_id":1})"), false, nullptr).has_value());
  EXPECT_EQ(found(R"({"t":"c"})"), "[]");
  EXPECT_EQ(store_->indexes(kWhere)->size(), 1U);
  EXPECT_TRUE(*store_->drop_index(kWhere, "by_t"));
}

TEST_F(SqliteDocuments, UniqueIndexRefusesASecondValue) {
  insert({R"({"_id":1,"mail":"a"})"});
  ASSERT_TRUE(store_->create_index(kWhere, {"mail", document_of(R"({"mail":1})"), true}).has_value());
  EXPECT_FALSE(store_->insert(kWhere, {{document_of(R"({"_id":2,"mail":"a"})")}}).has_value());
  insert({R"({"_id":3,"mail":"b"})"});
  EXPECT_FALSE(update(R"({"_id":3})", R"({"$set":{"mail":"a"}})").has_value());
  EXPECT_TRUE(update(R"({"_id":3})", R"({"$set":{"mail":"b","x":1}})").has_value());
  EXPECT_FALSE(store_->create_index(kWhere, {"two", document_of(R"({"a":1,"b":1})"), false}).has_value());
}

// The index is asked when the document is stored already, so that one is taken back, with what else it has.
TEST_F(SqliteDocuments, AnInsertKeepsNoPartOfADocumentThatAUniqueIndexRefuses) {
  insert({R"({"_id":1,"mail":"a","t":1})"});
  ASSERT_TRUE(store_->create_index(kWhere, {"by_t", document_of(R"({"t":1})"), false}).has_value());
  ASSERT_TRUE(store_->create_index(kWhere, {"mail", document_of(R"({"mail":1})"), true}).has_value());
  const auto faulty = [&](bool ordered) {
    const auto ids = store_->insert(
        kWhere, {{document_of(R"({"_id":2,"mail":"b","t":2})"), document_of(R"({"_id":3,"mail":"a","t":3})"),
                  document_of(R"({"_id":4,"mail":"d","t":4})")},
                 ordered,
                 nullptr});
    return ids ? "none" : ids.error().message;
  };
  const std::string taken = "Duplicate key error: a document with this mail exists";
  EXPECT_EQ(faulty(true), taken);
  EXPECT_EQ(found("{}"), R"([{"_id":1,"mail":"a","t":1},{"_id":2,"mail":"b","t":2}])");
  EXPECT_EQ(found(R"({"t":3})"), "[]");
  ASSERT_TRUE(store_->remove(kWhere, document_of(R"({"_id":2})"), false, nullptr).has_value());
  EXPECT_EQ(faulty(false), taken);
  open();
  EXPECT_EQ(*store_->count(kWhere, {}, 0, nullptr), 3);
  EXPECT_EQ(found(R"({"mail":"d"})"), R"([{"_id":4,"mail":"d","t":4}])");
}

TEST_F(SqliteDocuments, AggregatesWhatIsVisible) {
  insert(
      {R"({"_id":1,"owner":"a","n":1})", R"({"_id":2,"owner":"b","n":2})", R"({"_id":3,"owner":"a","n":3})"});
  const OwnersGate gate("a");
  const auto sums = store_->aggregate(
      kWhere, {.pipeline = *value_of(R"([{"$group":{"_id":null,"s":{"$sum":"$n"}}}])").get_if<EjsonArray>(),
               .gate = &gate});
  ASSERT_TRUE(sums.has_value());
  EXPECT_EQ(Ejson(sums->front()).to_relaxed(), R"({"_id":null,"s":4})");
}

TEST_F(SqliteDocuments, WhatTheGateHidesDoesNotExistForItsCaller) {
  insert({R"({"_id":1,"owner":"a","hidden":7,"n":2})", R"({"_id":2,"owner":"b"})",
          R"({"_id":3,"owner":"a","hidden":5,"n":1})"});
  const OwnersGate gate("a", true);
  FindQuery all;
  all.gate = &gate;
  EXPECT_EQ(found("{}", all), R"([{"_id":1,"owner":"a","n":2},{"_id":3,"owner":"a","n":1}])");
  EXPECT_EQ(found(R"({"hidden":7})", all), "[]");
  EXPECT_EQ(found(R"({"hidden":{"$exists":false},"n":1})", all), R"([{"_id":3,"owner":"a","n":1}])");
  all.sort = document_of(R"({"hidden":1})");  // tells nothing of the order of what is hidden
  EXPECT_EQ(found("{}", all), R"([{"_id":1,"owner":"a","n":2},{"_id":3,"owner":"a","n":1}])");
  EXPECT_EQ(*store_->count(kWhere, document_of(R"({"hidden":7})"), 0, &gate), 0);
  EXPECT_EQ(*store_->count(kWhere, {}, 0, &gate), 2);
  const auto shown = store_->find_and_modify(kWhere, {.filter = {},
                                                      .sort = document_of(R"({"hidden":1})"),
                                                      .projection = {},
                                                      .update = value_of(R"({"$inc":{"n":1}})"),
                                                      .array_filters = {},
                                                      .guard = {},
                                                      .gate = &gate});
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(Ejson(shown->value()).to_relaxed(), R"({"_id":1,"owner":"a","n":2})");
  EXPECT_EQ(found(R"({"_id":1})"), R"([{"_id":1,"owner":"a","hidden":7,"n":3}])");
}

TEST_F(SqliteDocuments, WhatTheGateRefusesChangesNothing) {
  insert({R"({"_id":1,"owner":"a"})", R"({"_id":2,"owner":"b"})", R"({"_id":3,"owner":"a","kept":true})"});
  const OwnersGate gate("a");
  const auto refused_by = [](const auto& result) { return result ? "nobody" : result.error().message; };
  EXPECT_EQ(refused_by(store_->insert(
                kWhere, {{document_of(R"({"owner":"a"})"), document_of(R"({"owner":"b"})")}, true, &gate})),
            "insert not permitted");
  UpdateQuery give_away{document_of("{}"), value_of(R"({"$set":{"owner":"b"}})"), {}, false, true, {}, &gate};
  EXPECT_EQ(refused_by(store_->update(kWhere, give_away)), "update not permitted");
  UpdateQuery others{
      document_of(R"({"_id":2})"), value_of(R"({"$set":{"n":1}})"), {}, false, true, {}, &gate};
  EXPECT_EQ(store_->update(kWhere, others)->matched, 0);
  EXPECT_EQ(refused_by(store_->remove(kWhere, {}, true, &gate)), "delete not permitted");
  EXPECT_EQ(found("{}"),
            R"([{"_id":1,"owner":"a"},{"_id":2,"owner":"b"},{"_id":3,"owner":"a","kept":true}])");
  EXPECT_EQ(*store_->remove(kWhere, document_of(R"({"kept":{"$exists":false}})"), true, &gate), 1);
}

TEST_F(SqliteDocuments, WatcherSeesCommittedChangesInOrder) {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<ChangeEvent> events;
  auto registration = store_->watch(kWhere, [&](const ChangeEvent& event) {
    const std::scoped_lock lock(mutex);
    events.push_back(event);
    came.notify_all();
  });
  EXPECT_FALSE(store_->insert(kWhere, {{EjsonDocument{{"_id", 1}, {"n", 1}}, EjsonDocument{{"_id", 1}}}}));
  ASSERT_TRUE(update(R"({"_id":1})", R"({"$set":{"n":2}})").has_value());
  ASSERT_TRUE(update(R"({"_id":1})", R"({"n":3})").has_value());
  EXPECT_FALSE(update(R"({"_id":1})", R"({"$inc":{"n":"x"}})").has_value());
  ASSERT_TRUE(
      store_->insert({"app", "mongodb-atlas", "shop", "other"}, {{EjsonDocument{{"_id", 9}}}}).has_value());
  ASSERT_TRUE(store_->remove(kWhere, {}, true, nullptr).has_value());
  std::unique_lock lock(mutex);
  ASSERT_TRUE(came.wait_for(lock, std::chrono::seconds{10}, [&] { return events.size() == 4; }));
  EXPECT_EQ(events[0].kind, ChangeEvent::Kind::insert);
  EXPECT_EQ(events[1].kind, ChangeEvent::Kind::update);
  EXPECT_EQ(Ejson(events[1].full_document).to_relaxed(), R"({"_id":1,"n":2})");
  EXPECT_EQ(events[2].kind, ChangeEvent::Kind::replace);
  EXPECT_EQ(events[3].kind, ChangeEvent::Kind::remove);
  EXPECT_EQ(events[3].document_id, Ejson(1));
}

// Contention: no increment is lost, an upsert of one id makes one document.
TEST_F(SqliteDocuments, ConcurrentUpdatesTakeTurns) {
  insert({R"({"_id":0,"n":0})"});
  std::atomic<int> inserted = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) {
          EXPECT_TRUE(update(R"({"_id":0})", R"({"$inc":{"n":1}})").has_value());
          const auto result = update(R"({"_id":"one"})", R"({"$inc":{"n":1}})", false, true);
          if (result && result->upserted_id) ++inserted;
        }
      });
    }
  }
  EXPECT_EQ(inserted, 1);
  EXPECT_EQ(found("{}"), R"([{"_id":0,"n":100},{"_id":"one","n":100}])");
}

}  // namespace
}  // namespace keyturn::server::sqlite

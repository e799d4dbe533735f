// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/change_streams.hpp"

#include <condition_variable>

#include "server/storage/mongodb/testing/test_store.hpp"

namespace keyturn::server::mongodb {
namespace {

constexpr std::chrono::seconds kPatience{10};

/// Keeps what an observer is told.
class Events {
 public:
  DocumentStore::ChangeObserver observer() {
    return [this](const ChangeEvent& event) {
      const std::scoped_lock lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    };
  }
  std::vector<ChangeEvent> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return events_.size() >= count; });
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ChangeEvent> events_;
};

std::string batch(const std::string& kind, const std::string& events) {
  return R"({"cursor":{"id":{"$numberLong":"1"},"ns":"shop.items",")" + kind + R"(":[)" + events +
         R"(]},"ok":1})";
}
std::string event(int number, const std::string& more) {
  return R"({"_id":{"_data":")" + std::to_string(number) + R"("},"ns":{"db":"shop","coll":"items"},)" + more +
         "}";
}

using MongoWatch = ScriptedStore;

TEST_F(MongoWatch, ChangesComeFromOneStreamForAllWhoWatchACollection) {
  peer_.answer("aggregate", batch("firstBatch", ""));
  Events first;
  Events second;
  auto one = store_->start_watch(kWhere, first.observer());
  ASSERT_TRUE(one.has_value()) << one.error().message;
  auto other = store_->start_watch(kWhere, second.observer());
  ASSERT_TRUE(other.has_value()) << other.error().message;
  EXPECT_EQ(peer_.last("aggregate").find("pipeline")->to_relaxed(),
            R"([{"$changeStream":{"fullDocument":"updateLookup"}}])");
  peer_.answer(
      "getMore",
      batch(
          "nextBatch",
          event(
              1,
              R"("operationType":"insert","documentKey":{"_id":1},"fullDocument":{"_id":1,"n":{"$numberLong":"1"}})") +
              "," +
              event(2, R"("operationType":"update","documentKey":{"_id":1},"fullDocument":{"_id":1,"n":2},)"
                       R"("updateDescription":{"updatedFields":{"n":2},"removedFields":[]})") +
              "," + event(3, R"("operationType":"delete","documentKey":{"_id":1})")));
  for (Events* each : {&first, &second}) {
    const auto events = each->wait_for(3);
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].kind, ChangeEvent::Kind::insert);
    EXPECT_EQ(*events[0].full_document.find("n"), Ejson(std::int64_t{1}));
    EXPECT_EQ(events[1].kind, ChangeEvent::Kind::update);
    ASSERT_TRUE(events[1].description.has_value());
    EXPECT_EQ(Ejson(*events[1].description).to_relaxed(), R"({"updatedFields":{"n":2},"removedFields":[]})");
    EXPECT_EQ(events[2].kind, ChangeEvent::Kind::remove);
    EXPECT_EQ(events[2].document_id, Ejson(std::int32_t{1}));
  }
  store_.reset();  // an observer may be under way until then
}

TEST_F(MongoWatch, AClusterWithoutChangeStreamsRefusesAtOnce) {
  peer_.answer(
      "aggregate",
      R"({"ok":0,"code":40573,"errmsg":"The $changeStream stage is only supported on replica sets"})");
  Events events;
  const auto refused = store_->start_watch(kWhere, events.observer());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::MongoDBError);
}

TEST_F(MongoWatch, AStreamThatEndsSaysWhyAndTheNextWatchOpensAnother) {
  peer_.answer("aggregate", batch("firstBatch", ""));
  Events events;
  const auto watching = store_->start_watch(kWhere, events.observer());
  ASSERT_TRUE(watching.has_value());
  peer_.answer("getMore", batch("nextBatch", event(1, R"("operationType":"drop")")));
  const auto told = events.wait_for(1);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, ChangeEvent::Kind::gap);
  ASSERT_TRUE(told[0].fault.has_value());
  EXPECT_EQ(told[0].fault->code, ErrorCode::ServiceUnavailable);
  peer_.answer("aggregate", batch("firstBatch", ""));
  Events later;
  EXPECT_TRUE(store_->start_watch(kWhere, later.observer()).has_value());
  store_.reset();
}

TEST_F(MongoWatch, ClosingTheStoreTellsWhoWatches) {
  peer_.answer("aggregate", batch("firstBatch", ""));
  Events events;
  const auto watching = store_->start_watch(kWhere, events.observer());
  ASSERT_TRUE(watching.has_value());
  store_.reset();
  const auto told = events.wait_for(1);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, ChangeEvent::Kind::gap);
}

}  // namespace
}  // namespace keyturn::server::mongodb

// SPDX-License-Identifier: Apache-2.0
// A service that is linked to a MongoDB cluster, through the whole server. The cluster is a scripted peer.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <keyturn/app.hpp>

#include "server/storage/mongodb/testing/scripted_mongo.hpp"
#include "tests/end_to_end/daemon_process.hpp"

namespace keyturn::end_to_end {
namespace {

using server::mongodb::testing::ScriptedMongo;
using std::chrono::seconds;

std::string batch(const std::string& name, const std::string& documents, int cursor = 0) {
  return R"({"cursor":{"id":{"$numberLong":")" + std::to_string(cursor) + R"("},"ns":"shop.dogs",")" + name +
         R"(":[)" + documents + R"(]},"ok":1})";
}

class LinkedCluster : public testing::Test {
 protected:
  TestApp make_app(const std::string& name, const std::string& uri) {
    TestApp made = admin_.create_app(name);
    admin_.send("POST", made.path + "/secrets", R"({"name":"cluster","value":")" + uri + R"("})");
    admin_.send(
        "POST", made.path + "/services",
        R"({"name":"mongodb-atlas","type":"mongodb-atlas","config":{},"secret_config":{"uri":"cluster"}})");
    return made;
  }
  App open_app(const TestApp& app) {
    return App(
        {.app_id = app.id, .base_url = daemon_.base_url(), .store = TokenStoreConfiguration::in_memory()});
  }
  static MongoCollection dogs_of(const User& user) {
    return user.mongo_client("mongodb-atlas").database("shop").collection("dogs");
  }

  ScriptedMongo peer_;
  DaemonProcess daemon_{{"--link-clusters"}};
  Administrator admin_{daemon_};
};

TEST_F(LinkedCluster, DocumentsGoToTheClusterAndComeBackWithTheirTypes) {
  App app = open_app(make_app("linked", peer_.uri()));
  const User user = app.login(Credentials::anonymous()).get();
  const std::string me = user.identifier();
  const MongoCollection dogs = dogs_of(user);
  peer_.answer("insert", R"({"ok":1,"n":1})");
  const auto inserted = dogs.insert_one({{"owner_id", me}, {"age", std::int64_t{3}}}).get();
  EXPECT_NE(inserted.inserted_id.get_if<ObjectId>(), nullptr);
  const EjsonDocument sent = peer_.last("insert");
  const Ejson& document = sent.find("documents")->get_if<EjsonArray>()->front();
  EXPECT_EQ(*document.find("age"), Ejson(std::int64_t{3}));
  EXPECT_EQ(*document.find("_id"), inserted.inserted_id);
  peer_.answer("find", batch("firstBatch",
                             R"({"_id":1,"price":{"$numberDecimal":"1.10"},"owner_id":")" + me + R"("})"));
  const auto found = dogs.find({{"$text", EjsonDocument{{"$search", "rex"}}}}).get();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].find("price")->get_if<Decimal128>()->to_string(), "1.10");
  const EjsonDocument asked = peer_.last("find");
  EXPECT_EQ(asked.find("filter")->find("$and")->get_if<EjsonArray>()->front().find("owner_id")->to_relaxed(),
            "\"" + me + "\"");
  // An update is guarded by a transaction.
  peer_.answer("find", batch("firstBatch", R"({"_id":1,"owner_id":")" + me + R"("})"));
  peer_.answer("update", R"({"ok":1,"n":1,"nModified":1})");
  peer_.answer("find", batch("firstBatch", R"({"_id":1,"n":2,"owner_id":")" + me + R"("})"));
  EXPECT_EQ(dogs.update_one({{"_id", 1}}, {{"$set", EjsonDocument{{"n", 2}}}}).get().modified_count, 1);
  EXPECT_TRUE(peer_.wait_for("commitTransaction"));
  const auto not_mine = dogs.insert_one({{"owner_id", "somebody"}}).result();
  ASSERT_FALSE(not_mine);
  EXPECT_EQ(not_mine.error().code, ErrorCode::NoMatchingRuleFound);
  peer_.answer("insert", R"({"ok":1,"n":0,"writeErrors":[{"index":0,"code":11000,"errmsg":"E11000 dup"}]})");
  const auto again = dogs.insert_one({{"_id", 1}, {"owner_id", me}}).result();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::MongoDBError);
  EXPECT_EQ(again.error().message, "Duplicate key error: E11000 dup (code 11000)");
}

TEST_F(LinkedCluster, FunctionsReachItToo) {
  const TestApp made = make_app("functions", peer_.uri());
  admin_.send(
      "POST", made.path + "/functions",
      R"({"name":"tags","run_as_system":true,"source":"exports = async () => )"
      R"(await context.services.get('mongodb-atlas').db('shop').collection('dogs').distinct('tag');"})");
  App app = open_app(made);
  const User user = app.login(Credentials::anonymous()).get();
  peer_.answer("distinct", R"({"ok":1,"values":["a","b"]})");
  EXPECT_EQ(user.call_function("tags", "[]").get(), R"(["a","b"])");
  EXPECT_EQ(peer_.last("distinct").find("query")->to_relaxed(), "{}");
}

TEST_F(LinkedCluster, ChangesAreWatchedThroughItsChangeStream) {
  App app = open_app(make_app("watch", peer_.uri()));
  const User user = app.login(Credentials::anonymous()).get();
  const std::string me = user.identifier();
  peer_.answer("aggregate", batch("firstBatch", "", 1));
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> ids;
  const WatchStream watching = dogs_of(user)
                                   .watch({.on_event =
                                               [&](const ChangeEvent& event) {
                                                 const std::scoped_lock lock(mutex);
                                                 ids.push_back(event.document_key.find("_id")->to_relaxed());
                                                 changed.notify_all();
                                               },
                                           .on_reconnect = [] {},
                                           .on_error = [](const Error&) {}})
                                   .get();
  ASSERT_TRUE(peer_.wait_for("getMore"));
  peer_.answer("getMore", batch("nextBatch",
                                R"({"_id":{"_data":"1"},"operationType":"insert","documentKey":{"_id":1},)"
                                R"("fullDocument":{"_id":1,"owner_id":"somebody"}},)"
                                R"({"_id":{"_data":"2"},"operationType":"insert","documentKey":{"_id":2},)"
                                R"("fullDocument":{"_id":2,"owner_id":")" +
                                    me + R"("}})",
                                1));
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, seconds(10), [&] { return !ids.empty(); }));
  EXPECT_EQ(ids, std::vector<std::string>{"2"});
}

TEST_F(LinkedCluster, AClusterThatIsAwayIsAnErrorAndTheRestOfTheServerGoesOn) {
  std::uint16_t closed = 0;
  {
    const ScriptedMongo gone;
    closed = gone.port();
  }
  App app = open_app(make_app("away", "mongodb://alice:s3cret@127.0.0.1:" + std::to_string(closed) + "/"));
  const User user = app.login(Credentials::anonymous()).get();
  const auto found = dogs_of(user).find({}).result();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(found.error().http_status, 503);
  EXPECT_EQ(found.error().message.find("s3cret"), std::string::npos);
  EXPECT_TRUE(user.refresh_access_token().result().has_value());
  const std::string log = daemon_.log();
  for (const char* part : {"s3cret", "alice", "mongodb://"})
    EXPECT_EQ(log.find(part), std::string::npos) << part;
}

TEST_F(LinkedCluster, WithoutTheOptionTheSameServiceKeepsItsDocumentsHere) {
  const DaemonProcess plain;
  Administrator admin(plain);
  const TestApp made = admin.create_app("plain");
  admin.send("POST", made.path + "/services",
             R"({"name":"mongodb-atlas","type":"mongodb-atlas","config":{"uri":")" + peer_.uri() + R"("}})");
  App app({.app_id = made.id, .base_url = plain.base_url(), .store = TokenStoreConfiguration::in_memory()});
  const User user = app.login(Credentials::anonymous()).get();
  dogs_of(user).insert_one({{"_id", 1}, {"owner_id", user.identifier()}}).get();
  EXPECT_EQ(dogs_of(user).count().get(), 1);
  EXPECT_TRUE(peer_.commands().empty());
}

}  // namespace
}  // namespace keyturn::end_to_end

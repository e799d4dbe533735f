// SPDX-License-Identifier: Apache-2.0
// What tokens are for: the SDK calls functions and works with documents while its access tokens come and go.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <keyturn/app.hpp>

#include "tests/end_to_end/daemon_process.hpp"

namespace keyturn::end_to_end {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

const std::vector<std::string> kRefreshLine = {"POST", "/auth/session"};

class SdkWithData : public testing::Test {
 protected:
  TestApp make_app(const std::string& name, int access_lifetime) {
    TestApp made = admin_.create_app(name, access_lifetime);
    admin_.send("POST", made.path + "/functions", R"({"name":"sum","source":"exports = (a, b) => a + b;"})");
    admin_.send("POST", made.path + "/functions",
                R"({"name":"fails","source":"exports = (t) => { throw t; };"})");
    admin_.send("POST", made.path + "/services",
                R"({"name":"mongodb-atlas","type":"mongodb-atlas","config":{}})");
    return made;
  }
  App open_app(const TestApp& app) {
    return App(
        {.app_id = app.id, .base_url = daemon_.base_url(), .store = TokenStoreConfiguration::in_memory()});
  }
  static MongoCollection dogs_of(const User& user) {
    return user.mongo_client("mongodb-atlas").database("shop").collection("dogs");
  }

  DaemonProcess daemon_;
  Administrator admin_{daemon_};
};

TEST_F(SdkWithData, FunctionTakesAndGivesTypedValues) {
  App app = open_app(make_app("functions", 0));
  const User user = app.login(Credentials::anonymous()).get();
  EXPECT_EQ(user.call_function("sum", {1, 2}).get().to_int64(), 3);
  EXPECT_EQ(user.call_function("sum", "[40,2]").get(), R"({"$numberLong":"42"})");
  const auto thrown = user.call_function("fails", {"no dogs"}).result();
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code, ErrorCode::FunctionExecutionError);
  EXPECT_NE(thrown.error().message.find("no dogs"), std::string::npos);
  EXPECT_EQ(user.call_function("missing", {}).result().error().code, ErrorCode::FunctionNotFound);
}

TEST_F(SdkWithData, EveryActionOnACollectionWorks) {
  App app = open_app(make_app("documents", 0));
  const User user = app.login(Credentials::anonymous()).get();
  const MongoCollection dogs = dogs_of(user);
  const std::string me = user.identifier();
  const auto inserted = dogs.insert_one({{"name", "Rex"}, {"age", 3}, {"owner_id", me}}).get();
  EXPECT_NE(inserted.inserted_id.get_if<ObjectId>(), nullptr);
  EXPECT_EQ(dogs.insert_many({{{"_id", 1}, {"age", std::int64_t{5}}, {"owner_id", me}},
                              {{"_id", "b"}, {"age", 7.5}, {"owner_id", me}}})
                .get()
                .inserted_ids,
            (std::vector<Ejson>{1, "b"}));
  EXPECT_EQ(dogs.insert_one({{"_id", 1}, {"owner_id", me}}).result().error().code, ErrorCode::MongoDBError);
  EXPECT_EQ(dogs.count().get(), 3);
  EXPECT_EQ(dogs.count({{"age", EjsonDocument{{"$gt", 4}}}}).get(), 2);
  const auto sorted = dogs.find({}, {.limit = 2, .projection = {{"age", 1}}, .sort = {{"age", -1}}}).get();
  ASSERT_EQ(sorted.size(), 2U);
  EXPECT_EQ(*sorted[0].find("age"), Ejson(7.5));
  EXPECT_EQ(*sorted[1].find("age"), Ejson(std::int64_t{5})) << "the type is kept";
  EXPECT_FALSE(sorted[0].contains("owner_id"));
  EXPECT_EQ(dogs.find_one({{"_id", "nobody"}}).get(), std::nullopt);
  const auto updated =
      dogs.update_many({{"age", EjsonDocument{{"$gte", 3}}}}, {{"$inc", EjsonDocument{{"age", 1}}}}).get();
  EXPECT_EQ(updated.matched_count, 3);
  EXPECT_EQ(updated.modified_count, 3);
  const auto upserted =
      dogs.update_one({{"_id", "new"}}, {{"$set", EjsonDocument{{"owner_id", me}}}}, {.upsert = true}).get();
  EXPECT_EQ(upserted.upserted_id, Ejson("new"));
  EXPECT_EQ(*dogs.find_one_and_update({{"_id", 1}}, {{"$set", EjsonDocument{{"name", "Ada"}}}},
                                      {.return_new_document = true})
                 .get()
                 ->find("name"),
            Ejson("Ada"));
  EXPECT_TRUE(dogs.find_one_and_replace({{"_id", 1}}, {{"owner_id", me}, {"name", "Eve"}}).get());
  EXPECT_TRUE(dogs.find_one_and_delete({{"_id", 1}}).get());
  const auto rows =
      dogs.aggregate({{{"$group", EjsonDocument{{"_id", nullptr}, {"n", EjsonDocument{{"$sum", 1}}}}}}})
          .get();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].find("n")->to_int64(), 3);
  EXPECT_EQ(dogs.delete_one({{"_id", "new"}}).get().deleted_count, 1);
  EXPECT_EQ(dogs.delete_many({}).get().deleted_count, 2);
}

TEST_F(SdkWithData, OtherUsersDocumentsAreNotSeen) {
  App app = open_app(make_app("owners", 0));
  const User ada = app.login(Credentials::anonymous(false)).get();
  const User eve = app.login(Credentials::anonymous(false)).get();
  dogs_of(ada).insert_one({{"_id", 1}, {"owner_id", ada.identifier()}}).get();
  EXPECT_EQ(dogs_of(ada).count().get(), 1);
  EXPECT_EQ(dogs_of(eve).count().get(), 0);
}

/// Does something again while the SDK says that this is worth while.
class Worker {
 public:
  template <class Start>
  auto done(Start start) {
    const auto until = steady_clock::now() + seconds{30};
    for (;;) {
      auto result = start().result();
      if (result || result.error().remedy != Remedy::retry_later || steady_clock::now() > until) {
        if (!result) ++failed;
        return result;
      }
      ++passing_faults;
      std::this_thread::sleep_for(milliseconds{20});
    }
  }
  void work(const User& user, int i) {
    const MongoCollection dogs = dogs_of_user(user);
    const auto sum = done([&] { return user.call_function("sum", {i, 1}); });
    if (sum && sum->to_int64() != i + 1) ++wrong;
    const auto written = done([&] {
      return dogs.update_one({{"_id", i % 50}},
                             {{"$set", EjsonDocument{{"n", i}, {"owner_id", user.identifier()}}}},
                             {.upsert = true});
    });
    if (written && written->matched_count == 0 && !written->upserted_id) ++wrong;
    const auto found = done([&] { return dogs.find_one({{"_id", i % 50}}); });
    if (found && (!*found || *(*found)->find("n") != Ejson(i))) ++wrong;
    tokens.insert(user.access_token());
    ++rounds;
  }

  int failed = 0;
  int wrong = 0;
  int passing_faults = 0;
  int rounds = 0;
  std::set<std::string> tokens;

 private:
  static MongoCollection dogs_of_user(const User& user) {
    return user.mongo_client("mongodb-atlas").database("shop").collection("dogs");
  }
};

// Issue 4: zero failed calls, one refresh for each access token.
TEST_F(SdkWithData, TenTokenLifetimesAndARestartCostNoCallAndOneRefreshEach) {
  App app = open_app(make_app("lifetimes", 3));
  const User user = app.login(Credentials::anonymous()).get();
  const int before = daemon_.count_log_lines(kRefreshLine);
  Worker worker;
  const auto until = steady_clock::now() + seconds{120};
  bool restarted = false;
  int faults_without_cause = 0;
  for (int i = 0; worker.tokens.size() < 11 && steady_clock::now() < until; ++i) {
    const int faults = worker.passing_faults;
    if (!restarted && worker.tokens.size() == 5) {
      restarted = true;
      // While calls go on: what meets the closed server is told `retry_later`, and is done when it is back.
      std::jthread restart([&] {
        daemon_.stop(SIGTERM);
        daemon_.start();
      });
      while (i < 1'000'000 && worker.tokens.size() == 5 && steady_clock::now() < until)
        worker.work(user, i++);
      continue;
    }
    worker.work(user, i);
    faults_without_cause += worker.passing_faults - faults;
  }
  // The line of an answer may be written a moment after the answer.
  for (int i = 0; i < 200 && daemon_.count_log_lines(kRefreshLine) - before < 10; ++i)
    std::this_thread::sleep_for(milliseconds{10});
  const int refreshes = daemon_.count_log_lines(kRefreshLine) - before;
  RecordProperty("rounds", worker.rounds);
  RecordProperty("refreshes", refreshes);
  RecordProperty("retried_during_restart", worker.passing_faults);
  EXPECT_TRUE(restarted);
  EXPECT_EQ(worker.tokens.size(), 11U);
  EXPECT_EQ(worker.failed, 0);
  EXPECT_EQ(worker.wrong, 0);
  EXPECT_EQ(faults_without_cause, 0);
  EXPECT_EQ(refreshes, 10);
  EXPECT_GT(worker.rounds, 100);
}

TEST_F(SdkWithData, WatchTellsChangesThroughAnExpiredTokenAndARestart) {
  App app = open_app(make_app("watch", 3));
  const User user = app.login(Credentials::anonymous()).get();
  const MongoCollection dogs = dogs_of(user);
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::int64_t> seen;
  int reconnects = 0;
  std::vector<std::string> errors;
  const auto note = [&](auto change) {
    const std::scoped_lock lock(mutex);
    change();
    changed.notify_all();
  };
  const WatchStream watch =
      dogs.watch({.on_event =
                      [&](const ChangeEvent& event) {
                        note([&] { seen.insert(event.document_key.find("_id")->to_int64().value_or(-1)); });
                      },
                  .on_reconnect = [&] { note([&] { ++reconnects; }); },
                  .on_error = [&](const Error& error) { note([&] { errors.push_back(error.message); }); }})
          .get();
  // Inserts documents until one of them is told. A refresh that met no server is not tried again at once.
  std::int64_t next = 0;
  const auto hears_again = [&](bool was_down) {
    for (int tries = 0; tries < 200; ++tries) {
      const std::int64_t id = next++;
      const auto inserted = dogs.insert_one({{"_id", id}, {"owner_id", user.identifier()}}).result();
      EXPECT_TRUE(inserted || tries > 0 || was_down) << inserted.error().message;
      std::unique_lock lock(mutex);
      if (changed.wait_for(lock, milliseconds{100}, [&] { return seen.contains(id); })) return true;
    }
    return false;
  };
  const std::int64_t first = next;
  ASSERT_TRUE(hears_again(false));
  EXPECT_EQ(next, first + 1) << "the first change after the start is told";
  std::this_thread::sleep_for(seconds{4});  // the token that opened the stream is over
  EXPECT_TRUE(hears_again(false));
  ASSERT_EQ(daemon_.stop(SIGTERM), 0);
  daemon_.start();
  EXPECT_TRUE(hears_again(true));
  const std::scoped_lock lock(mutex);
  EXPECT_GE(reconnects, 1);
  EXPECT_EQ(errors, std::vector<std::string>());
}

}  // namespace
}  // namespace keyturn::end_to_end

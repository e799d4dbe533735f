// SPDX-License-Identifier: Apache-2.0
// Watches on the real machine, against streams that a test writes.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <keyturn/app.hpp>
#include <keyturn/base/clock.hpp>
#include <keyturn/testing.hpp>

#include "core/crypto/crypto.hpp"

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::RecordedRequest;
using testing::ScriptedResponse;
using testing::ScriptedStream;

const char* const kStreamedCall = "/api/client/v2.0/app/app/functions/call";
const char* const kInsert =
    R"({"_id":{"_data":"1"},"operationType":"insert","documentKey":{"_id":{"$numberInt":"1"}},)"
    R"("fullDocument":{"_id":{"$numberInt":"1"},"text":"50%\nand more"},"ns":{"db":"shop","coll":"dogs"}})";

/// What a watch told.
struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ChangeEvent> events;
  int reconnects = 0;
  std::vector<Error> errors;

  WatchObserver observer() {
    return {[this](const ChangeEvent& event) { note([&] { events.push_back(event); }); },
            [this] { note([&] { ++reconnects; }); },
            [this](const Error& error) { note([&] { errors.push_back(error); }); }};
  }
  template <class Change>
  void note(Change change) {
    const std::scoped_lock lock(mutex);
    change();
    changed.notify_all();
  }
  template <class Condition>
  bool comes(Condition condition, std::chrono::milliseconds within = 10s) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, within, condition);
  }
  bool comes_events(std::size_t count) {
    return comes([&] { return events.size() == count; });
  }
};

class WatchTest : public ::testing::Test {
 protected:
  WatchTest()
      : app({.app_id = "app", .base_url = server.base_url(), .store = TokenStoreConfiguration::in_memory()}),
        user(app.login(App::credentials::anonymous()).get()),
        dogs(user.mongo_client("mongodb-atlas").database("shop").collection("dogs")) {}

  /// The next watch gets this stream.
  ScriptedStream streams() {
    ScriptedStream stream;
    server.enqueue(
        "GET", kStreamedCall,
        {.headers = {{"Content-Type", "text/event-stream"}}, .body = ": hello\n\n", .stream = stream});
    return stream;
  }
  void refuses(int status, std::string body, HttpHeaders headers = {}) {
    server.enqueue("GET", kStreamedCall,
                   {.status = status, .headers = std::move(headers), .body = std::move(body)});
  }
  template <class Condition>
  static bool comes_true(Condition condition) {
    const auto end = system_clock().boot_now() + 10s;
    while (!condition() && system_clock().boot_now() < end) std::this_thread::yield();
    return condition();
  }

  testing::ScriptedServer server;
  Told told;
  App app;
  User user;
  MongoCollection dogs;
};

const char* const kExpired =
    R"({"error":"invalid session: access token expired","error_code":"InvalidSession"})";

TEST_F(WatchTest, AsksWithTheTokenInTheHeaderAndTellsEvents) {
  const ScriptedStream stream = streams();
  WatchStream watch = dogs.watch(told.observer(), {.ids = {1, "b"}}).get();
  const RecordedRequest asked = server.requests().back();
  const std::string query = asked.path.substr(asked.path.find("baas_request=") + 13);
  EXPECT_EQ(query.find_first_of("+/="), std::string::npos);
  std::string base64;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i] != '%') {
      base64 += query[i];
    } else {
      base64 += static_cast<char>(std::stoi(query.substr(i + 1, 2), nullptr, 16));
      i += 2;
    }
  }
  EXPECT_EQ(crypto::base64_decode_lenient(base64),
            R"({"name":"watch","arguments":[{"database":"shop","collection":"dogs",)"
            R"("ids":[{"$numberInt":"1"},"b"]}],"service":"mongodb-atlas"})");
  EXPECT_EQ(find_header(asked.headers, "authorization"), "Bearer " + user.access_token());
  EXPECT_EQ(find_header(asked.headers, "accept"), "text/event-stream");
  stream.write_event(kInsert);
  stream.write("event: other\ndata: x\n\n");
  stream.write_event(R"({"operationType":"delete","documentKey":{"_id":1}})", "message");
  ASSERT_TRUE(told.comes_events(2));
  EXPECT_EQ(told.events[0].operation, "insert");
  EXPECT_EQ(told.events[0].document_key, (EjsonDocument{{"_id", 1}}));
  EXPECT_EQ(*told.events[0].full_document->find("text"), Ejson("50%\nand more"));
  EXPECT_TRUE(told.events[0].event.contains("ns"));
  EXPECT_FALSE(told.events[1].full_document);
}

TEST_F(WatchTest, CancelClosesTheConnectionWithinATenthOfASecond) {
  const ScriptedStream stream = streams();
  WatchStream watch = dogs.watch(told.observer()).get();
  ASSERT_TRUE(comes_true([&] { return stream.is_open(); }));
  const auto asked = system_clock().boot_now();
  watch.cancel();
  ASSERT_TRUE(comes_true([&] { return !stream.is_open(); }));
  EXPECT_LT(system_clock().boot_now() - asked, 100ms);
  EXPECT_TRUE(told.errors.empty());
  EXPECT_EQ(server.count("GET", kStreamedCall), 1);
}

TEST_F(WatchTest, ForgottenAnswerIsACancelledWatch) {
  const ScriptedStream stream = streams();
  { auto forgotten = dogs.watch(told.observer()); }
  ASSERT_TRUE(comes_true([&] { return server.count("GET", kStreamedCall) == 1; }));
  EXPECT_TRUE(comes_true([&] { return !stream.is_open(); }));
}

TEST_F(WatchTest, ExpiredTokenIsRefreshedBeforeTheStart) {
  refuses(401, kExpired);
  const ScriptedStream stream = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  EXPECT_EQ(server.refresh_count(), 1);
  EXPECT_EQ(server.count("GET", kStreamedCall), 2);
  EXPECT_EQ(find_header(server.requests().back().headers, "authorization"), "Bearer " + user.access_token());
}

TEST_F(WatchTest, FreshTokenThatIsRefusedTooEndsTheWatch) {
  refuses(401, kExpired);
  refuses(401, kExpired);
  const auto refused = dogs.watch(told.observer()).result();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidSession);
  EXPECT_EQ(server.count("GET", kStreamedCall), 2) << "no loop";
}

TEST_F(WatchTest, LostStreamIsOpenedAgainAndTheGapTold) {
  const ScriptedStream first = streams();
  const ScriptedStream second = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  first.write_event(kInsert);
  ASSERT_TRUE(told.comes_events(1));
  first.end();
  ASSERT_TRUE(told.comes([&] { return told.reconnects == 1; }));
  second.write_event(kInsert);
  EXPECT_TRUE(told.comes_events(2));
  EXPECT_TRUE(told.errors.empty());
}

TEST_F(WatchTest, StreamThatEndedWithItsTokenGoesOnWithAFreshOne) {
  const ScriptedStream first = streams();
  refuses(401, kExpired);
  const ScriptedStream second = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  const std::string old_token = user.access_token();
  first.end();
  ASSERT_TRUE(told.comes([&] { return told.reconnects == 1; }));
  EXPECT_EQ(server.refresh_count(), 1);
  EXPECT_NE(user.access_token(), old_token);
  second.write_event(kInsert);
  EXPECT_TRUE(told.comes_events(1));
}

TEST_F(WatchTest, PassingFaultsAfterTheStartAreWaitedOut) {
  const ScriptedStream first = streams();
  refuses(502, "<html>", {{"Content-Type", "text/html"}});
  refuses(503, R"({"error":"busy","error_code":"ServiceUnavailable"})", {{"Retry-After", "0"}});
  const ScriptedStream second = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  first.end();
  EXPECT_TRUE(told.comes([&] { return told.reconnects == 1; }));
  EXPECT_TRUE(told.errors.empty());
}

TEST_F(WatchTest, RefusalIsTheEnd) {
  refuses(400, R"({"error":"no rule","error_code":"NoMatchingRuleFound"})");
  EXPECT_EQ(dogs.watch(told.observer()).result().error().code, ErrorCode::NoMatchingRuleFound);
  refuses(503, R"({"error":"busy","error_code":"ServiceUnavailable"})");
  EXPECT_EQ(dogs.watch(told.observer()).result().error().remedy, Remedy::retry_later) << "at the start";
  refuses(200, "[]");
  EXPECT_EQ(dogs.watch(told.observer()).result().error().code, ErrorCode::InvalidServerResponse);
  EXPECT_EQ(dogs.watch(told.observer(), {.ids = {1}, .query = {{"a", 1}}}).result().error().code,
            ErrorCode::InvalidParameter);
  const ScriptedStream stream = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  stream.write_event(R"({"error":"collection dropped","error_code":"MongoDBError"})", "error");
  ASSERT_TRUE(told.comes([&] { return told.errors.size() == 1; }));
  EXPECT_EQ(told.errors[0].code, ErrorCode::MongoDBError);
  EXPECT_EQ(told.errors[0].message, "collection dropped");
}

TEST_F(WatchTest, EventThatIsNoDocumentEndsTheWatch) {
  const ScriptedStream stream = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  stream.write_event("{");
  ASSERT_TRUE(told.comes([&] { return told.errors.size() == 1; }));
  EXPECT_EQ(told.errors[0].code, ErrorCode::InvalidServerResponse);
  EXPECT_TRUE(told.events.empty());
}

TEST_F(WatchTest, LogOutEndsItAtOnceAndTellsWhy) {
  const ScriptedStream stream = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  ASSERT_TRUE(comes_true([&] { return stream.is_open(); }));
  user.log_out().get();
  ASSERT_TRUE(told.comes([&] { return told.errors.size() == 1; }));
  EXPECT_EQ(told.errors[0].code, ErrorCode::ClientUserNotLoggedIn);
  EXPECT_TRUE(comes_true([&] { return !stream.is_open(); }));
  EXPECT_EQ(dogs.watch(told.observer()).result().error().code, ErrorCode::ClientUserNotLoggedIn);
}

TEST_F(WatchTest, RevokedSessionEndsItWithTheReason) {
  const ScriptedStream stream = streams();
  const WatchStream watch = dogs.watch(told.observer()).get();
  server.revoke(user.identifier());
  refuses(401, kExpired);
  stream.end();
  ASSERT_TRUE(told.comes([&] { return told.errors.size() == 1; }));
  EXPECT_EQ(told.errors[0].remedy, Remedy::log_in_again);
  EXPECT_EQ(told.errors[0].reason, EndReason::revoked);
}

TEST_F(WatchTest, SlowObserverHoldsTheStreamBackAndMissesNothing) {
  const ScriptedStream stream = streams();
  std::mutex gate;
  gate.lock();
  std::atomic<int> seen{0};
  const WatchStream watch = dogs.watch({.on_event =
                                            [&](const ChangeEvent&) {
                                              if (seen++ == 0) const std::scoped_lock wait(gate);
                                            }})
                                .get();
  const std::string large(100'000, 'x');
  constexpr int kEvents = 400;
  for (int i = 0; i < kEvents; ++i)
    stream.write_event(R"({"operationType":"insert","fullDocument":{"t":")" + large + "\"}}");
  ASSERT_TRUE(comes_true([&] { return seen == 1; }));
  gate.unlock();
  EXPECT_TRUE(comes_true([&] { return seen == kEvents; })) << seen;
}

TEST_F(WatchTest, ClosedAppEndsEveryWatch) {
  const ScriptedStream stream = streams();
  std::optional<App> other(std::in_place, App::configuration{.app_id = "app",
                                                             .base_url = server.base_url(),
                                                             .store = TokenStoreConfiguration::in_memory()});
  const User their = other->login(App::credentials::anonymous()).get();
  WatchStream watch =
      their.mongo_client("mongodb-atlas").database("shop").collection("dogs").watch(told.observer()).get();
  other.reset();
  ASSERT_EQ(told.errors.size(), 1U);
  EXPECT_EQ(told.errors[0].code, ErrorCode::ClientAppDeallocated);
  watch.cancel();
}

TEST_F(WatchTest, ObserverMayCancelItsOwnWatch) {
  const ScriptedStream stream = streams();
  WatchStream watch;
  std::promise<void> ready;
  std::atomic<int> seen{0};
  watch = dogs.watch({.on_event =
                          [&, made = ready.get_future().share()](const ChangeEvent&) {
                            made.wait();
                            ++seen;
                            watch.cancel();
                          }})
              .get();
  ready.set_value();
  stream.write_event(kInsert);
  stream.write_event(kInsert);
  EXPECT_TRUE(comes_true([&] { return seen == 1 && !stream.is_open(); }));
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace keyturn

// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/cluster.hpp"

#include <chrono>
#include <thread>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "server/storage/mongodb/testing/test_store.hpp"

namespace keyturn::server::mongodb {
namespace {

using MongoFaults = ScriptedStore;
using Trouble = ScriptedMongo::Trouble;

constexpr std::chrono::seconds kSoon{3};  // the deadlines are below one second

/// A driver looks for a lost server again after half a second.
ClusterOptions patient_options() {
  ClusterOptions options = quick_options();
  options.connect = std::chrono::milliseconds{2'000};
  return options;
}

/// Runs, and answers the error, which must have come before the deadline.
template <class Call>
Error error_soon(const Call& call) {
  const BootTime begin = system_clock().boot_now();
  const auto result = call();
  EXPECT_LT(system_clock().boot_now() - begin, kSoon);
  EXPECT_FALSE(result.has_value());
  return result ? Error() : result.error();
}

TEST_F(MongoFaults, WhatTheClusterRefusesKeepsItsCodeAndText) {
  peer_.answer("insert", R"({"ok":1,"n":0,"writeErrors":[{"index":0,"code":11000,)"
                         R"("errmsg":"E11000 duplicate key error collection: shop.items"}]})");
  const auto again = store_->insert(kWhere, {{document_of(R"({"_id":1})")}});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::MongoDBError);
  EXPECT_EQ(again.error().http_status, 400);
  EXPECT_EQ(again.error().message,
            "Duplicate key error: E11000 duplicate key error collection: shop.items (code 11000)");
  peer_.answer("find", R"({"ok":0,"code":2,"codeName":"BadValue","errmsg":"unknown operator: $who"})");
  FindQuery query;
  query.filter = document_of(R"({"a":{"$who":1}})");
  const auto bad = store_->find(kWhere, query);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ErrorCode::MongoDBError);
  EXPECT_EQ(bad.error().message, "unknown operator: $who (code 2)");
}

TEST_F(MongoFaults, AClusterThatCannotBeReachedIsSaidSoWithinTheDeadlineAndThenAtOnce) {
  std::uint16_t closed = 0;
  {
    const ScriptedMongo gone;
    closed = gone.port();
  }
  const auto store =
      open_store("mongodb://alice:s3cret@127.0.0.1:" + std::to_string(closed) + "/?replicaSet=rs", clock_);
  ASSERT_NE(store, nullptr);
  ::testing::internal::CaptureStderr();
  const Error error = error_soon([&] { return store->find(kWhere, {}); });
  EXPECT_EQ(error.code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(error.http_status, 503);
  const BootTime begin = system_clock().boot_now();
  EXPECT_FALSE(store->find(kWhere, {}).has_value());
  EXPECT_LT(system_clock().boot_now() - begin, std::chrono::milliseconds{100});
  const std::string log = ::testing::internal::GetCapturedStderr();
  for (const std::string& text : {error.message, log}) {
    for (const std::string& part : {std::string("alice"), std::string("s3cret"), std::string("127.0.0.1"),
                                    std::to_string(closed), std::string("mongodb://")}) {
      EXPECT_EQ(text.find(part), std::string::npos) << text;
    }
  }
}

TEST_F(MongoFaults, AClusterThatComesBackIsUsedAgainAfterTheRest) {
  ClusterOptions options = quick_options();
  options.rest = std::chrono::milliseconds{1'000};
  auto cluster = Cluster::open(Secret(peer_.uri()), options, clock_);
  ASSERT_TRUE(cluster.has_value());
  bson_error_t away{};
  away.domain = MONGOC_ERROR_SERVER_SELECTION;
  EXPECT_EQ((*cluster)->fault(away).code, ErrorCode::ServiceUnavailable);
  EXPECT_FALSE((*cluster)->lease().has_value());
  clock_.advance(std::chrono::milliseconds{999});
  EXPECT_FALSE((*cluster)->lease().has_value());
  clock_.advance(std::chrono::milliseconds{1});
  EXPECT_TRUE((*cluster)->lease().has_value());
}

TEST_F(MongoFaults, APeerThatNeverGreetsIsLeftAfterTheDeadline) {
  peer_.fall_silent();
  EXPECT_EQ(error_soon([&] { return store_->find(kWhere, {}); }).code, ErrorCode::ServiceUnavailable);
}

void expect_errors_soon(Trouble trouble) {
  const CollectionName where{"app", "mongodb-atlas", "shop", "items"};
  ScriptedMongo peer;
  keyturn::testing::FakeClock clock;
  const auto store = open_store(peer.uri() + "?retryReads=false&retryWrites=false", clock, patient_options());
  peer.answer("find", trouble);
  const Error read = error_soon([&] { return store->find(where, {}); });
  EXPECT_EQ(read.code, ErrorCode::ServiceUnavailable) << static_cast<int>(trouble);
  EXPECT_EQ(read.message.find("127.0.0.1"), std::string::npos) << read.message;
  peer.answer("insert", trouble);
  EXPECT_EQ(error_soon([&] { return store->insert(where, {{document_of("{}")}}); }).code,
            ErrorCode::ServiceUnavailable);
  EXPECT_FALSE(peer.last("insert").empty());
  // The next one has a connection of its own.
  peer.answer("find", R"({"cursor":{"id":{"$numberLong":"0"},"ns":"shop.items","firstBatch":[]},"ok":1})");
  EXPECT_TRUE(store->find(where, {}).has_value());
}

TEST_F(MongoFaults, SilenceAndBrokenAnswersAreErrorsWithinTheDeadline) {
  std::vector<std::thread> threads;  // each waits most of its time
  for (const Trouble trouble : {Trouble::silence, Trouble::cut_short, Trouble::hang_up})
    threads.emplace_back([trouble] { expect_errors_soon(trouble); });
  for (std::thread& each : threads) each.join();
}

TEST_F(MongoFaults, AReadIsTriedOnceMoreWhenTheConnectionWasLost) {
  store_ = open_store(peer_.uri(), clock_, patient_options());
  peer_.answer("find", Trouble::hang_up);
  peer_.answer("find",
               R"({"cursor":{"id":{"$numberLong":"0"},"ns":"shop.items","firstBatch":[{"_id":1}]},"ok":1})");
  const auto found = store_->find(kWhere, {});
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->size(), 1U);
}

TEST_F(MongoFaults, RefusedCredentialsAreSaidSoAndNotRepeated) {
  const std::string at = "127.0.0.1:" + std::to_string(peer_.port());
  const auto store =
      open_store("mongodb://alice:s3cret@" + at + "/?authSource=admin&authMechanism=SCRAM-SHA-256", clock_);
  for (int i = 0; i < 4; ++i)
    peer_.answer("saslStart",
                 R"({"ok":0,"code":18,"codeName":"AuthenticationFailed","errmsg":"alice is not known"})");
  const Error error = error_soon([&] { return store->find(kWhere, {}); });
  EXPECT_EQ(error.code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(error.message, "the linked cluster does not accept the service's credentials");
}

TEST_F(MongoFaults, AnotherPrimaryIsAPassingFault) {
  peer_.answer("insert", R"({"ok":0,"code":10107,"codeName":"NotWritablePrimary","errmsg":"not primary"})");
  peer_.answer("insert", R"({"ok":0,"code":10107,"codeName":"NotWritablePrimary","errmsg":"not primary"})");
  EXPECT_EQ(error_soon([&] { return store_->insert(kWhere, {{document_of("{}")}}); }).code,
            ErrorCode::ServiceUnavailable);
}

TEST_F(MongoFaults, ConnectionsAreBounded) {
  ClusterOptions options = quick_options();
  options.connections = 1;
  auto cluster = Cluster::open(Secret(peer_.uri()), options, clock_);
  ASSERT_TRUE(cluster.has_value());
  const auto held = (*cluster)->lease();
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(error_soon([&] { return (*cluster)->lease(); }).code, ErrorCode::ServiceUnavailable);
}

TEST_F(MongoFaults, StringsThatAreNoneAreRefusedWithoutRepeatingThem) {
  for (const char* text :
       {"", "http://alice:s3cret@host/", "mongodb://alice:s3cret@", "mongodb://alice:s3:cret@h/",
        "mongodb://h/?tls=true&tlsCertificateKeyFile=/keys/app.pem"}) {
    auto cluster = Cluster::open(Secret(std::string(text)), quick_options(), clock_);
    ASSERT_FALSE(cluster.has_value()) << text;
    EXPECT_EQ(cluster.error().code, ErrorCode::ServiceUnavailable);
    EXPECT_EQ(cluster.error().message.find("cret"), std::string::npos);
  }
}

}  // namespace
}  // namespace keyturn::server::mongodb

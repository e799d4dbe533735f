// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/linked_clusters.hpp"

#include "core/json/json.hpp"
#include "server/storage/memory/memory_stores.hpp"
#include "server/storage/mongodb/testing/test_store.hpp"

namespace keyturn::server::mongodb {
namespace {

class MongoLinks : public ::testing::Test {
 protected:
  json::Value service(std::string_view text) {
    auto value = json::parse(text);
    EXPECT_TRUE(value.has_value());
    EXPECT_TRUE(stores_.apps().put_document("app", "services", "s1", *value).has_value());
    return *value;
  }
  Result<std::shared_ptr<DocumentStore>> store_of(const json::Value& service) {
    return links_.store_of("app", "s1", service);
  }

  memory::MemoryStores stores_;
  keyturn::testing::FakeClock clock_;
  LinkedClusters links_{stores_.apps(), clock_, quick_options()};
};

TEST_F(MongoLinks, AServiceWithoutAStringIsNotLinked) {
  for (const char* text :
       {R"({"name":"s"})", R"({"name":"s","config":{}})", R"({"name":"s","config":{"uri":""}})",
        R"({"name":"s","config":"x","secret_config":{}})"}) {
    const auto store = store_of(service(text));
    ASSERT_TRUE(store.has_value());
    EXPECT_EQ(*store, nullptr) << text;
  }
  EXPECT_EQ(links_.size(), 0U);
}

TEST_F(MongoLinks, TheStringIsTheSecretThatTheServiceNamesOrItsOwn) {
  ScriptedMongo peer;
  const auto linked = service(R"({"name":"s","config":{},"secret_config":{"uri":"cluster"}})");
  const auto missing = store_of(linked);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::ServiceUnavailable);
  EXPECT_NE(missing.error().message.find("does not exist"), std::string::npos);
  ASSERT_TRUE(stores_.apps().put_secret("app", "x1", "cluster", Secret(peer.uri())).has_value());
  const auto store = store_of(linked);
  ASSERT_TRUE(store.has_value()) << store.error().message;
  ASSERT_NE(*store, nullptr);
  EXPECT_EQ(*store_of(linked), *store) << "one set of connections for all calls";
  static_cast<void>((*store)->find({"app", "s", "shop", "items"}, {}));
  EXPECT_TRUE(peer.wait_for("find"));
  const auto literal = service(R"({"name":"s","config":{"uri":")" + peer.uri() + R"("}})");
  EXPECT_EQ(*store_of(literal), *store) << "the same string is the same link";
}

TEST_F(MongoLinks, AnotherStringIsAnotherSetOfConnections) {
  ScriptedMongo first;
  ScriptedMongo second;
  const auto before = store_of(service(R"({"config":{"uri":")" + first.uri() + R"("}})"));
  const auto after = store_of(service(R"({"config":{"uri":")" + second.uri() + R"("}})"));
  ASSERT_TRUE(before.has_value() && after.has_value());
  EXPECT_NE(*before, *after);
  EXPECT_EQ(links_.size(), 1U);
}

TEST_F(MongoLinks, ConnectionsOfAServiceThatIsGoneAreClosed) {
  ScriptedMongo peer;
  const auto linked = service(R"({"config":{"uri":")" + peer.uri() + R"("}})");
  std::weak_ptr<DocumentStore> held = *store_of(linked);
  links_.close_unlinked();
  EXPECT_FALSE(held.expired()) << "still linked";
  ASSERT_TRUE(stores_.apps().remove_document("app", "services", "s1").has_value());
  links_.close_unlinked();
  EXPECT_TRUE(held.expired());
  EXPECT_EQ(links_.size(), 0U);
}

TEST_F(MongoLinks, AStringThatIsNoneIsAnErrorAndNotTheServersOwnStore) {
  const auto store = store_of(service(R"({"config":{"uri":"postgres://alice:s3cret@h/"}})"));
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().message, "the service's connection string is no valid one of MongoDB");
}

}  // namespace
}  // namespace keyturn::server::mongodb

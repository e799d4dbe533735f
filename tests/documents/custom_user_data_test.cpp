// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "core/json/json.hpp"
#include "core/testing/fake_clock.hpp"
#include "server/domain/data/document_service.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

// Which document is the custom data of a user (functions.md 7).
namespace keyturn::server {
namespace {

constexpr const char* kUser = "65f0c0ffee0000000000abcd";

class CustomUserData : public ::testing::Test {
 protected:
  CustomUserData() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-user-data-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    sqlite::SqliteOptions options;
    options.folder = folder_;
    options.clock = &clock_;
    stores_ = std::move(*sqlite::SqliteStores::open(options));
    app_.id = "app";
    app_.client_app_id = "app-abcde";
    app_.user_data = UserDataSource{"s1", "shop", "users", "owner", true};
    EXPECT_TRUE(stores_->apps().put(app_, {}));
    EXPECT_TRUE(stores_->apps().put_document(
        "app", "services", "s1", *json::parse(R"({"name":"mongodb-atlas","type":"mongodb-atlas"})")));
    service_.emplace(stores_->apps(), stores_->documents(), stores_->users(), clock_);
  }
  ~CustomUserData() override {
    service_.reset();
    stores_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void insert(int id, Ejson owner) {
    EXPECT_TRUE(stores_->documents().insert(
        where_, {{EjsonDocument{{"_id", std::int32_t{id}}, {"owner", std::move(owner)}}}}));
  }
  /// The `_id` of the document that is found; -1: none.
  std::int64_t found() {
    const auto document = service_->custom_user_data(app_, kUser);
    EXPECT_TRUE(document) << document.error().message;
    return document && *document ? (*document)->find("_id")->to_int64().value_or(-2) : -1;
  }

  testing::FakeClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<sqlite::SqliteStores> stores_;
  App app_;
  CollectionName where_{"app", "mongodb-atlas", "shop", "users"};
  std::optional<DocumentService> service_;
};

TEST_F(CustomUserData, IsNothingWithoutADocument) {
  EXPECT_EQ(found(), -1);
  insert(1, "somebody else");
  EXPECT_EQ(found(), -1);
}

TEST_F(CustomUserData, IsFoundByTextThenByObjectId) {
  insert(1, *ObjectId::from_hex(kUser));
  EXPECT_EQ(found(), 1);
  insert(2, kUser);
  EXPECT_EQ(found(), 2) << "the text goes first, however late it came";
}

TEST_F(CustomUserData, IsTheFirstInserted) {
  insert(7, kUser);
  insert(3, kUser);
  EXPECT_EQ(found(), 7);
  ASSERT_TRUE(service_->prepare_user_data(app_));
  EXPECT_EQ(found(), 7) << "an index changes nothing";
}

TEST_F(CustomUserData, GetsAnIndexOnce) {
  insert(1, kUser);
  ASSERT_TRUE(service_->prepare_user_data(app_));
  ASSERT_TRUE(service_->prepare_user_data(app_));
  const auto indexes = stores_->documents().indexes(where_);
  ASSERT_TRUE(indexes);
  int owners = 0;
  for (const IndexDefinition& each : *indexes) owners += each.keys.contains("owner") ? 1 : 0;
  EXPECT_EQ(owners, 1);
}

TEST_F(CustomUserData, IsNothingWhenTheSettingOrItsServiceIsGone) {
  insert(1, kUser);
  ASSERT_TRUE(stores_->apps().remove_document("app", "services", "s1"));
  EXPECT_EQ(found(), -1);
  EXPECT_TRUE(service_->prepare_user_data(app_));
  app_.user_data.reset();
  EXPECT_EQ(found(), -1);
}

TEST_F(CustomUserData, ItsSettingSurvivesARestart) {
  const auto apps = stores_->apps().all();
  ASSERT_TRUE(apps);
  ASSERT_EQ(apps->size(), 1U);
  EXPECT_EQ(apps->front().user_data, app_.user_data);
}

}  // namespace
}  // namespace keyturn::server

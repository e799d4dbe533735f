// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/json/json.hpp"
#include "core/testing/fake_clock.hpp"
#include "server/domain/data/document_service.hpp"
#include "server/storage/sqlite/sqlite_stores.hpp"

// The service of documents over the real store, asked as clients ask it.
namespace keyturn::server {

inline constexpr const char* kService = "mongodb-atlas";

inline EjsonDocument document_of(const std::string& text) {
  auto value = Ejson::parse(text);
  if (!value || value->get_if<EjsonDocument>() == nullptr) throw std::invalid_argument(text);
  return *value->get_if<EjsonDocument>();
}

struct DocumentsFolder {
  DocumentsFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "keyturn-documents-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = name;
  }
  DocumentsFolder(const DocumentsFolder&) = delete;
  DocumentsFolder& operator=(const DocumentsFolder&) = delete;
  ~DocumentsFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

class Documents : public ::testing::Test {
 protected:
  Documents() {
    sqlite::SqliteOptions options;
    options.folder = folder_.path;
    options.clock = &clock_;
    stores_ = std::move(*sqlite::SqliteStores::open(options));
    app_.id = "app";
    app_.client_app_id = "app-abcde";
    EXPECT_TRUE(stores_->apps().put(app_, {}));
    put("services", "s1", R"({"name":"mongodb-atlas","type":"mongodb-atlas"})");
    put("services", "s2", R"({"name":"web","type":"http"})");
    User user;
    user.id = "u1";
    user.app_id = "app";
    user.identities.push_back({"i1", "local-userpass", "p", {{"email", "a@example.org"}}});
    EXPECT_TRUE(stores_->users().create(user));
    service_.emplace(stores_->apps(), stores_->documents(), stores_->users(), clock_);
  }
  void put(const char* kind, const char* id, const char* text) {
    EXPECT_TRUE(stores_->apps().put_document("app", kind, id, *json::parse(text)));
  }
  static DataCaller user(std::string id) {
    DataCaller caller;
    caller.principal = Principal{"app", std::move(id), "s", "d", "anon-user"};
    return caller;
  }
  static DataCaller the_system() { return {std::nullopt, true}; }
  std::string call(const DataCaller& caller, const char* action, const std::string& members,
                   const char* service = kService, const char* collection = "c") {
    const auto result =
        service_->call(app_, caller, service, action,
                       document_of(R"({"database":"d","collection":")" + std::string(collection) + "\"" +
                                   (members.empty() ? "" : ",") + members + "}"));
    if (result) return result->to_canonical();
    code_ = result.error().code;
    return result.error().message;
  }

  DocumentsFolder folder_;
  testing::FakeClock clock_;
  std::unique_ptr<sqlite::SqliteStores> stores_;
  App app_;
  std::optional<DocumentService> service_;
  ErrorCode code_ = ErrorCode::InternalServerError;
};

}  // namespace keyturn::server

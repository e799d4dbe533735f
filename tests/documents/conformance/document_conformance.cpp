// SPDX-License-Identifier: Apache-2.0
#include "tests/documents/conformance/document_conformance.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace keyturn::server::conformance {
namespace {

using Store = std::shared_ptr<DocumentStore>;

Ejson parsed(const std::string& text) {
  auto value = Ejson::parse(text);
  if (!value) throw std::invalid_argument(text + ": " + value.error().message);
  return std::move(*value);
}

EjsonDocument document_at(const EjsonDocument& request, const char* name) {
  const Ejson* value = request.find(name);
  return value == nullptr ? EjsonDocument() : *value->get_if<EjsonDocument>();
}
EjsonArray array_at(const EjsonDocument& request, const char* name) {
  const Ejson* value = request.find(name);
  return value == nullptr ? EjsonArray() : *value->get_if<EjsonArray>();
}
bool flag_at(const EjsonDocument& request, const char* name) {
  const Ejson* value = request.find(name);
  return value != nullptr && *value == Ejson(true);
}
std::int64_t count_at(const EjsonDocument& request, const char* name) {
  const Ejson* value = request.find(name);
  return value == nullptr ? 0 : *value->to_int64();
}

std::vector<EjsonDocument> documents_of(const EjsonArray& list) {
  std::vector<EjsonDocument> out;
  for (const Ejson& each : list) out.push_back(*each.get_if<EjsonDocument>());
  return out;
}
Ejson list_of(const std::vector<EjsonDocument>& documents) {
  EjsonArray out;
  for (const EjsonDocument& each : documents) out.emplace_back(each);
  return out;
}

/// One case at one store.
class Operation {
 public:
  Operation(DocumentStore& store, CollectionName where, const DocumentCase& given)
      : store_(store),
        where_(std::move(where)),
        kind_(given.operation),
        request_(*parsed(given.request).get_if<EjsonDocument>()) {}

  Result<Ejson> run() {
    if (kind_ == "find") return shown(store_.find(where_, find_query()));
    if (kind_ == "aggregate") return shown(store_.aggregate(where_, {array_at(request_, "pipeline")}));
    if (kind_ == "count") {
      auto counted =
          store_.count(where_, document_at(request_, "filter"), count_at(request_, "limit"), nullptr);
      return counted ? Result<Ejson>(Ejson(*counted)) : Result<Ejson>(counted.error());
    }
    if (kind_ == "modify") {
      auto document = store_.find_and_modify(where_, modify_query());
      if (!document) return document.error();
      return *document ? Ejson(**document) : Ejson();
    }
    if (kind_ == "index") {
      const IndexDefinition index{"i", document_at(request_, "keys"), flag_at(request_, "unique")};
      if (auto made = store_.create_index(where_, index); !made) return made.error();
      return shown(store_.find(where_, find_query()));
    }
    if (kind_ == "insert") {
      auto ids = store_.insert(where_, insert_query());
      return ids ? everything() : Result<Ejson>(ids.error());
    }
    if (kind_ == "faulty insert") {
      auto ids = store_.insert(where_, insert_query());
      return ids ? Result<Ejson>(Ejson(*ids)) : everything();
    }
    if (kind_ == "remove") {
      auto removed =
          store_.remove(where_, document_at(request_, "filter"), flag_at(request_, "many"), nullptr);
      return removed ? everything() : Result<Ejson>(removed.error());
    }
    auto result = store_.update(where_, update_query());
    if (!result) return result.error();
    if (kind_ == "update") return everything();
    EjsonDocument counts{{"matched", result->matched}, {"modified", result->modified}};
    if (result->upserted_id) counts.append("upserted", *result->upserted_id);
    return Ejson(std::move(counts));
  }

 private:
  static Result<Ejson> shown(const Result<std::vector<EjsonDocument>>& documents) {
    if (!documents) return documents.error();
    return list_of(*documents);
  }
  Result<Ejson> everything() {
    FindQuery all;
    all.sort = {{"_id", 1}};
    return shown(store_.find(where_, all));
  }
  [[nodiscard]] FindQuery find_query() const {
    FindQuery query;
    query.filter = document_at(request_, "filter");
    query.projection = document_at(request_, "projection");
    query.sort = document_at(request_, "sort");
    query.skip = count_at(request_, "skip");
    query.limit = count_at(request_, "limit");
    return query;
  }
  [[nodiscard]] InsertQuery insert_query() const {
    InsertQuery query;
    query.documents = documents_of(array_at(request_, "documents"));
    if (request_.contains("ordered")) query.ordered = flag_at(request_, "ordered");
    return query;
  }
  [[nodiscard]] UpdateQuery update_query() const {
    UpdateQuery query;
    query.filter = document_at(request_, "filter");
    query.update = *request_.find("update");
    query.array_filters = array_at(request_, "arrayFilters");
    query.upsert = flag_at(request_, "upsert");
    query.many = flag_at(request_, "many");
    return query;
  }
  [[nodiscard]] FindAndModifyQuery modify_query() const {
    FindAndModifyQuery query;
    query.filter = document_at(request_, "filter");
    query.sort = document_at(request_, "sort");
    query.projection = document_at(request_, "projection");
    if (const Ejson* update = request_.find("update")) query.update = *update;
    query.upsert = flag_at(request_, "upsert");
    query.return_new = flag_at(request_, "new");
    return query;
  }

  DocumentStore& store_;
  CollectionName where_;
  std::string kind_;
  EjsonDocument request_;
};

class CaseTest : public ::testing::Test {
 public:
  CaseTest(std::function<Store()> store, const DocumentCase& given)
      : store_(std::move(store)), case_(given) {}

  void TestBody() override {
    const Store store = store_();
    ASSERT_NE(store, nullptr);
    const std::string database = case_.name;
    const CollectionName where{"app", "mongodb-atlas", database, "c"};
    fill(*store, where, case_.stored);
    fill(*store, {"app", "mongodb-atlas", database, "other"}, case_.other);
    const auto answer = Operation(*store, where, case_).run();
    const std::string expected = case_.expected;
    if (expected.front() == '!') {
      ASSERT_FALSE(answer) << "answered " << answer->to_canonical();
      EXPECT_NE(answer.error().message.find(expected.substr(1)), std::string::npos) << answer.error().message;
      return;
    }
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->to_canonical(), parsed(expected).to_canonical());
  }

 private:
  static void fill(DocumentStore& store, const CollectionName& where, const char* text) {
    auto documents = documents_of(*parsed(text).get_if<EjsonArray>());
    if (documents.empty()) return;
    const auto filled = store.insert(where, {std::move(documents)});
    ASSERT_TRUE(filled) << filled.error().message;
  }

  std::function<Store()> store_;
  const DocumentCase& case_;
};

}  // namespace

bool register_document_conformance(std::string store_name, std::function<Store()> make) {
  auto kept = std::make_shared<Store>();
  const std::function<Store()> once = [kept, make = std::move(make)] {
    if (*kept == nullptr) *kept = make();
    return *kept;
  };
  for (const auto* cases :
       {&query_cases(), &shape_cases(), &update_cases(), &array_update_cases(), &resolved_update_cases(),
        &upsert_cases(), &write_cases(), &pipeline_cases(), &refusal_cases(), &error_cases()}) {
    for (const DocumentCase& each : *cases) {
      ::testing::RegisterTest((store_name + "Documents").c_str(), each.name, nullptr, nullptr, __FILE__,
                              __LINE__,
                              [once, &each]() -> ::testing::Test* { return new CaseTest(once, each); });
    }
  }
  return true;
}

}  // namespace keyturn::server::conformance

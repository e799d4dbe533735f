// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/object_id.hpp"
#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/pipeline.hpp"
#include "server/domain/documents/shape.hpp"
#include "server/domain/documents/update.hpp"
#include "server/storage/sqlite/change_feed.hpp"
#include "server/storage/sqlite/database.hpp"
#include "server/storage/sqlite/document_rows.hpp"
#include "server/storage/sqlite/new_document.hpp"
#include "server/storage/sqlite/stores.hpp"

namespace keyturn::server::sqlite {
namespace {

using documents::Filter;
using documents::Pipeline;
using documents::Projection;
using documents::Sort;
using documents::Update;

constexpr std::size_t kMostDocuments = 50'000;  // client-api.md 13
constexpr std::size_t kMostScanned = 1'000'000;

Error refused(std::string text) { return {ErrorCode::MongoDBError, std::move(text)}; }
Error too_many() { return {ErrorCode::ReadSizeLimitExceeded, "the query reads more than 50000 documents"}; }

struct Found {
  StoredDocument stored;
  Filter::Match match;
};

class SqliteDocumentStore final : public DocumentStore {
 public:
  SqliteDocumentStore(Database& database, DocumentContext context)
      : database_(database), context_(std::move(context)) {}

  Result<std::vector<EjsonDocument>> find(const CollectionName& where, const FindQuery& query) override {
    auto filter = Filter::compile(query.filter);
    if (!filter) return filter.error();
    auto projection = Projection::compile(query.projection);
    if (!projection) return projection.error();
    auto sort = Sort::compile(query.sort);
    if (!sort) return sort.error();
    if (query.skip < 0 || query.limit < 0) return refused("skip and limit must not be negative");
    const auto wanted = query.limit == 0 ? kMostDocuments + 1 : static_cast<std::size_t>(query.limit);
    const auto enough = sort->empty() ? wanted + static_cast<std::size_t>(query.skip) : kMostScanned;
    auto documents = read_matching(where, *filter, enough);
    if (!documents) return documents;
    sort->apply(*documents);
    const auto skip = std::min(static_cast<std::size_t>(query.skip), documents->size());
    documents->erase(documents->begin(), documents->begin() + static_cast<std::ptrdiff_t>(skip));
    if (documents->size() > wanted) documents->resize(wanted);
    if (documents->size() > kMostDocuments) return too_many();
    if (!query.projection.empty()) {
      for (EjsonDocument& document : *documents) document = projection->apply(document);
    }
    return documents;
  }

  Result<std::int64_t> count(const CollectionName& where, const EjsonDocument& query,
                             std::int64_t limit) override {
    auto filter = Filter::compile(query);
    if (!filter) return filter.error();
    return database_.read([&](Connection& sql) {
      std::int64_t counted = 0;
      if (const auto collection = find_collection(sql, where, false)) {
        scan(sql, *collection, *filter,
             [&](StoredDocument, const Filter::Match&) { return ++counted != limit; });
      }
      return counted;
    });
  }

  Result<std::vector<EjsonDocument>> aggregate(const CollectionName& where, const EjsonDocument& visible,
                                               const EjsonArray& stages) override {
    auto pipeline = Pipeline::compile(stages);
    if (!pipeline) return pipeline.error();
    auto filter = Filter::compile(EjsonDocument{{"$and", EjsonArray{visible, pipeline->leading_match()}}});
    if (!filter) return filter.error();
    auto documents = read_matching(where, *filter, kMostScanned);
    if (!documents) return documents;
    auto everything = Filter::compile({});
    auto result = pipeline->run(std::move(*documents), [&](const std::string& name) {
      return read_matching({where.app_id, where.service, where.database, name}, *everything, kMostScanned);
    });
    if (result && result->size() > kMostDocuments) return too_many();
    return result;
  }

  Result<EjsonArray> insert(const CollectionName& where, std::vector<EjsonDocument> documents) override {
    if (documents.empty()) return refused("must provide at least one element");
    for (EjsonDocument& document : documents) {
      document = with_id(std::move(document), context_);
      const auto fit = check_id(document);
      if (!fit) return fit.error();
    }
    return change<EjsonArray>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<EjsonArray> {
          const auto indexes = read_indexes(sql, collection);
          EjsonArray ids;
          for (const EjsonDocument& document : documents) {
            auto place = put_document(sql, collection, indexes, 0, document);
            if (!place) return place.error();
            ids.push_back(*document.find("_id"));
            events.push_back({ChangeEvent::Kind::insert, where, ids.back(), document});
          }
          return ids;
        });
  }

  Result<UpdateResult> update(const CollectionName& where, const UpdateQuery& query) override {
    auto plan = compile(query.filter, query.update, query.array_filters, query.guard);
    if (!plan) return plan.error();
    if (query.many && plan->update->is_replacement())
      return refused("multi update is not supported for replacement-style update");
    return change<UpdateResult>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<UpdateResult> {
          UpdateResult result;
          const auto indexes = read_indexes(sql, collection);
          for (const Found& found : matching(sql, collection, plan->filter, query.many ? kMostScanned : 1)) {
            ++result.matched;
            auto after = apply(sql, collection, indexes, *plan, found, where, events);
            if (!after) return after.error();
            if (Ejson(*after).to_canonical() != Ejson(found.stored.document).to_canonical())
              ++result.modified;
          }
          if (result.matched == 0 && query.upsert) {
            auto document = upsert(sql, collection, indexes, *plan, where, events);
            if (!document) return document.error();
            result.upserted_id = *document->find("_id");
          }
          return result;
        });
  }

  Result<std::optional<EjsonDocument>> find_and_modify(const CollectionName& where,
                                                       const FindAndModifyQuery& query) override {
    auto plan = compile(query.filter, query.update, query.array_filters, query.guard);
    if (!plan) return plan.error();
    auto sort = Sort::compile(query.sort);
    if (!sort) return sort.error();
    auto projection = Projection::compile(query.projection);
    if (!projection) return projection.error();
    using Answer = std::optional<EjsonDocument>;
    return change<Answer>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<Answer> {
          const auto indexes = read_indexes(sql, collection);
          const auto found =
              first(matching(sql, collection, plan->filter, sort->empty() ? 1 : kMostScanned), *sort);
          if (!found) {
            if (!query.upsert || !plan->update) return Answer();
            auto document = upsert(sql, collection, indexes, *plan, where, events);
            if (!document) return document.error();
            return query.return_new ? Answer(projection->apply(*document)) : Answer();
          }
          if (!plan->update) {
            remove_document(sql, found->stored.place);
            events.push_back({ChangeEvent::Kind::remove, where, *found->stored.document.find("_id"), {}});
            return Answer(projection->apply(found->stored.document));
          }
          auto after = apply(sql, collection, indexes, *plan, *found, where, events);
          if (!after) return after.error();
          return Answer(projection->apply(query.return_new ? *after : found->stored.document));
        });
  }

  Result<std::int64_t> remove(const CollectionName& where, const EjsonDocument& query, bool many) override {
    auto filter = Filter::compile(query);
    if (!filter) return filter.error();
    return change<std::int64_t>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<std::int64_t> {
          std::int64_t removed = 0;
          for (const Found& found : matching(sql, collection, *filter, many ? kMostScanned : 1)) {
            remove_document(sql, found.stored.place);
            events.push_back({ChangeEvent::Kind::remove, where, *found.stored.document.find("_id"), {}});
            ++removed;
          }
          return removed;
        });
  }

  Result<void> create_index(const CollectionName& where, const IndexDefinition& index) override;
  Result<std::vector<IndexDefinition>> indexes(const CollectionName& where) override;
  Result<bool> drop_index(const CollectionName& where, std::string_view name) override;

  std::shared_ptr<void> watch(const CollectionName& where, ChangeObserver observer) override {
    return feed_.watch(where, std::move(observer));
  }

  Result<void> remove_app(std::string_view app_id) override {
    return database_.write(
        [&](WriteStep& step) { step.sql.run("DELETE FROM collections WHERE app_id = ?1", app_id); });
  }

 private:
  using Events = std::vector<ChangeEvent>;
  struct Plan {
    Filter filter;
    std::optional<Update> update;
    Filter guard;
  };

  static Result<Plan> compile(const EjsonDocument& query, const std::optional<Ejson>& change,
                              const EjsonArray& array_filters, const EjsonDocument& guard_query) {
    auto filter = Filter::compile(query);
    if (!filter) return filter.error();
    auto guard = Filter::compile(guard_query);
    if (!guard) return guard.error();
    Plan plan{std::move(*filter), std::nullopt, std::move(*guard)};
    if (change) {
      auto update = Update::compile(*change, array_filters);
      if (!update) return update.error();
      plan.update = std::move(*update);
    }
    return plan;
  }

  // Runs a step that either changes all it wants or nothing, and tells of its changes in the order of
  // commits.
  template <class T, class Body>
  Result<T> change(const CollectionName& where, Body body) {
    auto committed = database_.write([&](WriteStep& step) -> Result<T> {
      Events events;
      step.sql.run("SAVEPOINT change");
      const auto collection = find_collection(step.sql, where, true);
      Result<T> result = body(step.sql, collection.value_or(0), events);
      if (!result) step.sql.run("ROLLBACK TO change");
      step.sql.run("RELEASE change");
      if (result)
        step.after_commit = [this, events = std::move(events)](SessionCache&) { feed_.publish(events); };
      return result;
    });
    if (!committed) return committed.error();
    return std::move(*committed);
  }

  Result<std::vector<EjsonDocument>> read_matching(const CollectionName& where, const Filter& filter,
                                                   std::size_t most) {
    return database_.read([&](Connection& sql) {
      std::vector<EjsonDocument> documents;
      if (const auto collection = find_collection(sql, where, false)) {
        scan(sql, *collection, filter, [&](StoredDocument stored, const Filter::Match&) {
          documents.push_back(std::move(stored.document));
          return documents.size() < most;
        });
      }
      return documents;
    });
  }

  static std::vector<Found> matching(Connection& sql, std::int64_t collection, const Filter& filter,
                                     std::size_t most) {
    std::vector<Found> all;
    scan(sql, collection, filter, [&](StoredDocument stored, const Filter::Match& match) {
      all.push_back({std::move(stored), match});
      return all.size() < most;
    });
    return all;
  }

  static std::optional<Found> first(std::vector<Found> all, const Sort& sort) {
    if (all.empty()) return std::nullopt;
    if (sort.empty()) return std::move(all.front());
    std::vector<EjsonDocument> order;
    order.reserve(all.size());
    for (const Found& each : all) order.push_back(each.stored.document);
    sort.apply(order);
    const Ejson& id = *order.front().find("_id");
    const auto chosen = std::find_if(
        all.begin(), all.end(), [&](const Found& each) { return *each.stored.document.find("_id") == id; });
    return std::move(*chosen);
  }

  Result<EjsonDocument> apply(Connection& sql, std::int64_t collection,
                              const std::vector<StoredIndex>& indexes, const Plan& plan, const Found& found,
                              const CollectionName& where, Events& events) {
    auto after = plan.update->apply(found.stored.document, found.match, context_.clock.wall_now(), false);
    if (!after) return after;
    if (!plan.guard.matches(*after)) return Error(ErrorCode::NoMatchingRuleFound, "update not permitted");
    auto put = put_document(sql, collection, indexes, found.stored.place, *after);
    if (!put) return put.error();
    const auto kind = plan.update->is_replacement() ? ChangeEvent::Kind::replace : ChangeEvent::Kind::update;
    events.push_back({kind, where, *after->find("_id"), *after});
    return after;
  }

  Result<EjsonDocument> upsert(Connection& sql, std::int64_t collection,
                               const std::vector<StoredIndex>& indexes, const Plan& plan,
                               const CollectionName& where, Events& events) {
    auto made = upserted(plan.filter, *plan.update, context_);
    if (!made) return made;
    EjsonDocument document = with_id(std::move(*made), context_);
    const auto fit = check_id(document);
    if (!fit) return fit.error();
    if (!plan.guard.matches(document)) return Error(ErrorCode::NoMatchingRuleFound, "insert not permitted");
    auto put = put_document(sql, collection, indexes, 0, document);
    if (!put) return put.error();
    events.push_back({ChangeEvent::Kind::insert, where, *document.find("_id"), document});
    return document;
  }

  Database& database_;
  DocumentContext context_;
  ChangeFeed feed_;
};

Result<void> SqliteDocumentStore::create_index(const CollectionName& where, const IndexDefinition& index) {
  if (index.keys.size() != 1 || index.name.empty()) {
    return refused(
        "an index of several fields is not supported by the embedded document store; link a MongoDB cluster "
        "to use it");
  }
  const auto direction = index.keys.begin()->second.to_int64();
  if (!direction || (*direction != 1 && *direction != -1)) {
    return refused(
        "only ascending and descending indexes are supported by the embedded document store; link a MongoDB "
        "cluster to use others");
  }
  auto done = change<bool>(where, [&](Connection& sql, std::int64_t collection, Events&) -> Result<bool> {
    const std::string path = index.keys.begin()->first;
    for (const StoredIndex& each : read_indexes(sql, collection)) {
      if (each.definition.name != index.name) continue;
      if (each.definition.keys == index.keys && each.definition.unique == index.unique) return true;
      return refused("an index of this name with other keys or options exists");
    }
    StoredIndex stored{0, index, path};
    {
      Query added = sql.query(
          "INSERT INTO document_indexes (collection, name, path, keys, only_once) VALUES (?1, ?2, ?3, ?4, "
          "?5) RETURNING id",
          collection, index.name, path, Ejson(index.keys).to_canonical(), index.unique);
      if (added.row()) stored.id = added.integer(0);
      while (added.row()) {
      }
    }
    auto everything = Filter::compile({});
    Result<void> filled;
    scan(sql, collection, *everything, [&](StoredDocument document, const Filter::Match&) {
      filled = add_index_entries(sql, stored, document.place, document.document);
      return filled.has_value();
    });
    if (!filled) return filled.error();
    return true;
  });
  if (!done) return done.error();
  return {};
}

Result<std::vector<IndexDefinition>> SqliteDocumentStore::indexes(const CollectionName& where) {
  return database_.read([&](Connection& sql) {
    std::vector<IndexDefinition> definitions;
    if (const auto collection = find_collection(sql, where, false)) {
      for (StoredIndex& each : read_indexes(sql, *collection))
        definitions.push_back(std::move(each.definition));
    }
    return definitions;
  });
}

Result<bool> SqliteDocumentStore::drop_index(const CollectionName& where, std::string_view name) {
  return change<bool>(where, [&](Connection& sql, std::int64_t collection, Events&) -> Result<bool> {
    return sql.run("DELETE FROM document_indexes WHERE collection = ?1 AND name = ?2", collection, name) > 0;
  });
}

}  // namespace

std::unique_ptr<DocumentStore> make_document_store(Database& database, DocumentContext context) {
  return std::make_unique<SqliteDocumentStore>(database, std::move(context));
}

}  // namespace keyturn::server::sqlite

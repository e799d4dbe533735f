// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "core/base/object_id.hpp"
#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/named_paths.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/pipeline.hpp"
#include "server/domain/documents/shape.hpp"
#include "server/domain/documents/sort.hpp"
#include "server/domain/documents/timestamps.hpp"
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
constexpr std::string_view kPlace("\0place", 6);  // no member can be named so

Error refused(std::string text) { return {ErrorCode::MongoDBError, std::move(text)}; }
Error not_permitted(const char* what) {
  return {ErrorCode::NoMatchingRuleFound, std::string(what) + " not permitted"};
}
Error too_many() { return {ErrorCode::ReadSizeLimitExceeded, "the query reads more than 50000 documents"}; }
Error too_many_to_work_on() {
  return {ErrorCode::ReadSizeLimitExceeded, "the operation works on more than 1000000 documents"};
}

struct Found {
  StoredDocument stored;
  Filter::Match match;
  EjsonDocument seen;  ///< Only where a gate hides members: what the caller sees.
};

// What to look for in the store itself: all that the caller sees and asked for is among it.
Result<Filter> stored_filter(const EjsonDocument& query, const DocumentGate& gate) {
  EjsonArray parts{gate.prefilter()};
  if (!gate.hides_members()) parts.emplace_back(query);
  return Filter::compile(EjsonDocument{{"$and", std::move(parts)}});
}

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
    auto documents = read_matching(where, query.filter, *filter, query.gate, enough);
    if (!documents) return documents;
    if (const auto sorted = sort->apply(*documents); !sorted) return sorted.error();
    const auto skip = std::min(static_cast<std::size_t>(query.skip), documents->size());
    documents->erase(documents->begin(), documents->begin() + static_cast<std::ptrdiff_t>(skip));
    if (documents->size() > wanted) documents->resize(wanted);
    if (documents->size() > kMostDocuments) return too_many();
    if (!query.projection.empty()) {
      for (EjsonDocument& document : *documents) document = projection->apply(document);
    }
    return documents;
  }

  Result<std::int64_t> count(const CollectionName& where, const EjsonDocument& query, std::int64_t limit,
                             const DocumentGate* gate) override {
    auto filter = Filter::compile(query);
    if (!filter) return filter.error();
    std::int64_t counted = 0;
    const auto done = read(where, query, *filter, gate, [&](EjsonDocument) { return ++counted != limit; });
    if (!done) return done.error();
    return counted;
  }

  Result<std::vector<EjsonDocument>> aggregate(const CollectionName& where,
                                               const AggregateQuery& query) override {
    auto pipeline = Pipeline::compile(query.pipeline);
    if (!pipeline) return pipeline.error();
    const EjsonDocument first = pipeline->leading_match();
    auto filter = Filter::compile(first);
    if (!filter) return filter.error();
    auto documents = read_matching(where, first, *filter, query.gate, kMostScanned);
    if (!documents) return documents;
    auto everything = Filter::compile({});
    auto result = pipeline->run(std::move(*documents), [&](const std::string& name) {
      const auto gate = query.foreign_gates.find(name);
      return read_matching({where.app_id, where.service, where.database, name}, {}, *everything,
                           gate == query.foreign_gates.end() ? nullptr : gate->second, kMostScanned);
    });
    if (result && result->size() > kMostDocuments) return too_many();
    return result;
  }

  Result<EjsonArray> insert(const CollectionName& where, InsertQuery query) override {
    if (query.documents.empty()) return refused("must provide at least one element");
    std::map<std::size_t, Error> unfit;
    for (std::size_t i = 0; i < query.documents.size(); ++i) {
      EjsonDocument& document = query.documents[i];
      document = with_id(std::move(document), context_);
      documents::fill_timestamps(document, context_.clock.wall_now());
      if (const auto fit = check_id(document); !fit) unfit.emplace(i, fit.error());
      if (query.gate == nullptr) continue;
      const auto allowed = query.gate->check_insert(document);
      if (allowed) continue;
      if (!is_about_one_document(allowed.error())) return allowed.error();
      unfit.emplace(i, allowed.error());
    }
    if (query.ordered && unfit.contains(0)) return unfit.at(0);
    auto done = change<Inserted>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<Inserted> {
          const auto indexes = read_indexes(sql, collection);
          Inserted inserted;
          for (std::size_t i = 0; i < query.documents.size(); ++i) {
            const EjsonDocument& document = query.documents[i];
            const auto known = unfit.find(i);
            const Result<void> put =
                known == unfit.end() ? put_new(sql, collection, indexes, document) : known->second;
            if (put) {
              inserted.ids.push_back(*document.find("_id"));
              events.push_back({ChangeEvent::Kind::insert, where, inserted.ids.back(), document, {}});
              continue;
            }
            if (!inserted.fault) inserted.fault = put.error();
            if (query.ordered) break;
          }
          if (inserted.ids.empty()) return *inserted.fault;
          return inserted;
        });
    if (!done) return done.error();
    if (done->fault) return *done->fault;
    return std::move(done->ids);
  }

  Result<UpdateResult> update(const CollectionName& where, const UpdateQuery& query) override {
    auto plan = compile(query.filter, query.update, query.array_filters, query.guard, query.gate, query.many);
    if (!plan) return plan.error();
    return change<UpdateResult>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<UpdateResult> {
          UpdateResult result;
          const auto indexes = read_indexes(sql, collection);
          for (const Found& found : matching(sql, collection, *plan, query.many ? kMostScanned : 1)) {
            ++result.matched;
            const std::size_t changes = events.size();
            auto after = apply(sql, collection, indexes, *plan, found, where, events);
            if (!after) return after.error();
            if (events.size() != changes) ++result.modified;
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
    auto plan = compile(query.filter, query.update, query.array_filters, query.guard, query.gate);
    if (!plan) return plan.error();
    auto sort = Sort::compile(query.sort);
    if (!sort) return sort.error();
    auto projection = Projection::compile(query.projection);
    if (!projection) return projection.error();
    using Answer = std::optional<EjsonDocument>;
    return change<Answer>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<Answer> {
          const auto indexes = read_indexes(sql, collection);
          auto sorted = first(matching(sql, collection, *plan, sort->empty() ? 1 : kMostScanned), *sort);
          if (!sorted) return sorted.error();
          const std::optional<Found>& found = *sorted;
          const auto shown = [&](const EjsonDocument& document) {
            const auto seen = query.gate == nullptr ? document : query.gate->view(document);
            return seen ? Answer(projection->apply(*seen)) : Answer();
          };
          if (!found) {
            if (!query.upsert || !plan->update) return Answer();
            auto document = upsert(sql, collection, indexes, *plan, where, events);
            if (!document) return document.error();
            return query.return_new ? shown(*document) : Answer();
          }
          const EjsonDocument& before = found->stored.document;
          if (!plan->update) {
            const auto removed = remove_one(sql, *plan, *found, where, events);
            if (!removed) return removed.error();
            return shown(before);
          }
          auto after = apply(sql, collection, indexes, *plan, *found, where, events);
          if (!after) return after.error();
          return shown(query.return_new ? *after : before);
        });
  }

  Result<std::int64_t> remove(const CollectionName& where, const EjsonDocument& query, bool many,
                              const DocumentGate* gate) override {
    auto plan = compile(query, std::nullopt, {}, {}, gate);
    if (!plan) return plan.error();
    return change<std::int64_t>(
        where, [&](Connection& sql, std::int64_t collection, Events& events) -> Result<std::int64_t> {
          std::int64_t removed = 0;
          for (const Found& found : matching(sql, collection, *plan, many ? kMostScanned : 1)) {
            if (const auto done = remove_one(sql, *plan, found, where, events); !done) return done.error();
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
  struct Inserted {
    EjsonArray ids;
    std::optional<Error> fault;  ///< The first; it takes nothing back.
  };
  struct Plan {
    Filter filter;  ///< The caller's.
    Filter stored;  ///< What is looked for.
    std::optional<Update> update;
    Ejson change;  ///< As it was written, for the gate.
    Filter guard;
    const DocumentGate* gate;
  };

  static Result<Plan> compile(const EjsonDocument& query, const std::optional<Ejson>& change,
                              const EjsonArray& array_filters, const EjsonDocument& guard_query,
                              const DocumentGate* gate, bool many = false) {
    auto filter = Filter::compile(query);
    if (!filter) return filter.error();
    auto stored = gate == nullptr ? filter : stored_filter(query, *gate);
    if (!stored) return stored.error();
    auto guard = Filter::compile(guard_query);
    if (!guard) return guard.error();
    Plan plan{std::move(*filter), std::move(*stored), std::nullopt, {}, std::move(*guard), gate};
    if (change) {
      auto update = Update::compile(*change, array_filters);
      if (!update) return update.error();
      if (many && update->is_replacement())
        return refused("multi update is not supported for replacement-style update");
      plan.update = std::move(*update);
      plan.change = *change;
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

  // A document that a unique index refuses is stored by then, and is taken back alone.
  static Result<void> put_new(Connection& sql, std::int64_t collection,
                              const std::vector<StoredIndex>& indexes, const EjsonDocument& document) {
    const bool may_be_late = std::any_of(indexes.begin(), indexes.end(),
                                         [](const StoredIndex& each) { return each.definition.unique; });
    if (may_be_late) sql.run("SAVEPOINT document");
    const auto put = put_document(sql, collection, indexes, 0, document);
    if (may_be_late && !put) sql.run("ROLLBACK TO document");
    if (may_be_late) sql.run("RELEASE document");
    if (!put) return put.error();
    return {};
  }

  // Gives `take` the documents that the caller sees and that match, as the caller sees them, until it has
  // enough.
  Result<void> read(const CollectionName& where, const EjsonDocument& query, const Filter& filter,
                    const DocumentGate* gate, const std::function<bool(EjsonDocument)>& take) {
    auto stored = gate == nullptr ? filter : stored_filter(query, *gate);
    if (!stored) return stored.error();
    auto done = database_.read([&](Connection& sql) {
      const auto collection = find_collection(sql, where, false);
      if (!collection) return true;
      scan(sql, *collection, *stored, [&](StoredDocument document, const Filter::Match&) {
        if (gate == nullptr) return take(std::move(document.document));
        auto seen = gate->view(document.document);
        if (!seen || (gate->hides_members() && !filter.matches(*seen))) return true;
        return take(std::move(*seen));
      });
      return true;
    });
    if (!done) return done.error();
    return {};
  }

  Result<std::vector<EjsonDocument>> read_matching(const CollectionName& where, const EjsonDocument& query,
                                                   const Filter& filter, const DocumentGate* gate,
                                                   std::size_t most) {
    std::vector<EjsonDocument> documents;
    const auto done = read(where, query, filter, gate, [&](EjsonDocument document) {
      documents.push_back(std::move(document));
      return documents.size() < most;
    });
    if (!done) return done.error();
    if (documents.size() >= kMostScanned) return too_many_to_work_on();
    return documents;
  }

  static std::vector<Found> matching(Connection& sql, std::int64_t collection, const Plan& plan,
                                     std::size_t most) {
    std::vector<Found> all;
    scan(sql, collection, plan.stored, [&](StoredDocument stored, const Filter::Match& match) {
      Found found{std::move(stored), match, {}};
      if (plan.gate != nullptr) {
        auto seen = plan.gate->view(found.stored.document);
        if (!seen) return true;
        // Which element of an array matched is a question to the caller's own filter.
        found.match = plan.filter.match(*seen);
        if (!found.match.matches) return true;
        if (plan.gate->hides_members()) found.seen = std::move(*seen);
      }
      all.push_back(std::move(found));
      return all.size() < most;
    });
    return all;
  }

  static Result<std::optional<Found>> first(std::vector<Found> all, const Sort& sort) {
    if (all.empty()) return std::optional<Found>();
    if (sort.empty()) return std::optional<Found>(std::move(all.front()));
    // Only what the caller sees decides; the place in the list comes along.
    std::vector<EjsonDocument> order;
    order.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      order.push_back(all[i].seen.empty() ? all[i].stored.document : all[i].seen);
      order.back().append(std::string(kPlace), static_cast<std::int64_t>(i));
    }
    if (const auto sorted = sort.apply(order); !sorted) return sorted.error();
    return std::optional<Found>(
        std::move(all[static_cast<std::size_t>(*order.front().find(kPlace)->to_int64())]));
  }

  static Result<void> remove_one(Connection& sql, const Plan& plan, const Found& found,
                                 const CollectionName& where, Events& events) {
    const EjsonDocument& before = found.stored.document;
    if (plan.gate != nullptr) {
      if (auto allowed = plan.gate->check_remove(before); !allowed) return allowed;
    }
    sqlite::remove_document(sql, found.stored.place);
    events.push_back({ChangeEvent::Kind::remove, where, *before.find("_id"), {}, before});
    return {};
  }

  Result<EjsonDocument> apply(Connection& sql, std::int64_t collection,
                              const std::vector<StoredIndex>& indexes, const Plan& plan, const Found& found,
                              const CollectionName& where, Events& events) {
    const EjsonDocument& before = found.stored.document;
    std::vector<documents::Path> named;
    if (plan.gate != nullptr) {
      named = documents::named_paths(plan.change, before);
      if (auto allowed = plan.gate->check_named(before, named); !allowed) return allowed.error();
    }
    auto after = plan.update->apply(before, found.match, context_.clock.wall_now(), false);
    if (!after) {
      const bool tells_nothing = found.seen.empty() || documents::same_at(before, found.seen, named);
      return tells_nothing ? after.error() : not_permitted("update");
    }
    if (!plan.guard.matches(*after)) return not_permitted("update");
    if (plan.gate != nullptr) {
      if (auto allowed = plan.gate->check_update(before, *after, named); !allowed) return allowed.error();
    }
    // What changes nothing is no event.
    if (Ejson(*after).to_canonical() == Ejson(before).to_canonical()) return after;
    auto put = put_document(sql, collection, indexes, found.stored.place, *after);
    if (!put) return put.error();
    const auto kind = plan.update->is_replacement() ? ChangeEvent::Kind::replace : ChangeEvent::Kind::update;
    events.push_back({kind, where, *after->find("_id"), *after, before});
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
    if (!plan.guard.matches(document)) return not_permitted("insert");
    if (plan.gate != nullptr) {
      if (auto allowed = plan.gate->check_insert(document); !allowed) return allowed.error();
    }
    auto put = put_document(sql, collection, indexes, 0, document);
    if (!put) return put.error();
    events.push_back({ChangeEvent::Kind::insert, where, *document.find("_id"), document, {}});
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
  const std::string& indexed = index.keys.begin()->first;
  if (indexed.starts_with('$') || indexed.find(".$") != std::string::npos)
    return refused("Index key contains an illegal field name: '" + indexed + "' starts with '$'");
  if (documents::has_empty_part(documents::Path(indexed)))
    return refused("Index keys cannot contain an empty field: '" + indexed + "'");
  const auto direction = index.keys.begin()->second.to_int64();
  if (!direction || (*direction != 1 && *direction != -1)) {
    return refused(
        "only ascending and descending indexes are supported by the embedded document store; link a MongoDB "
        "cluster to use others");
  }
  auto done = change<bool>(where, [&](Connection& sql, std::int64_t collection, Events&) -> Result<bool> {
    const std::string& path = indexed;
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

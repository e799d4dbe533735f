// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/data_actions.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "server/domain/data/data_arguments.hpp"
#include "server/domain/data/data_options.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/pipeline.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

using Arguments = DataArguments;

/// client-api.md 13: clients cast these counts to 32 bits.
Ejson int32(std::int64_t count) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::min(count, kMost));
}

Ejson or_null(std::optional<EjsonDocument> document) {
  return document ? Ejson(std::move(*document)) : Ejson();
}

EjsonArray list_of(std::vector<EjsonDocument> documents) {
  EjsonArray out;
  out.reserve(documents.size());
  for (EjsonDocument& each : documents) out.emplace_back(std::move(each));
  return out;
}

bool has_operators(const Ejson& update) {
  const auto* members = update.get_if<EjsonDocument>();
  return members == nullptr || (!members->empty() && members->begin()->first[0] == '$');
}

Error no_operators() {
  return refusal(ErrorCode::MongoDBError, "the replace operation document must not contain atomic operators");
}

Result<std::vector<EjsonDocument>> found(const DataScope& scope, Arguments& arguments, bool one) {
  FindQuery query;
  query.filter = arguments.document("query", "filter");
  query.projection = arguments.document("project", "projection");
  query.sort = arguments.document("sort");
  query.skip = arguments.count("skip");
  query.limit = one ? 1 : arguments.count("limit");
  query.gate = scope.gate;
  if (arguments.fault()) return *arguments.fault();
  return scope.store.find(scope.where, query);
}

Result<Ejson> find(const DataScope& scope, Arguments& arguments) {
  auto documents = found(scope, arguments, false);
  if (!documents) return documents.error();
  return Ejson(list_of(std::move(*documents)));
}

Result<Ejson> find_one(const DataScope& scope, Arguments& arguments) {
  auto documents = found(scope, arguments, true);
  if (!documents) return documents.error();
  return documents->empty() ? Ejson() : Ejson(std::move(documents->front()));
}

Result<Ejson> find_one_and(const DataScope& scope, Arguments& arguments, std::optional<Ejson> update) {
  FindAndModifyQuery query;
  query.filter = arguments.document("filter", "query");
  query.sort = arguments.document("sort");
  query.projection = arguments.document("projection", "project");
  query.array_filters = arguments.array("arrayFilters");
  query.upsert = arguments.flag("upsert");
  query.return_new = arguments.flag("returnNewDocument");
  query.update = std::move(update);
  query.gate = scope.gate;
  if (arguments.fault()) return *arguments.fault();
  auto document = scope.store.find_and_modify(scope.where, query);
  if (!document) return document.error();
  return or_null(std::move(*document));
}

Result<Ejson> find_one_and_update(const DataScope& scope, Arguments& arguments) {
  const EjsonDocument* update = arguments.required_document("update");
  if (update == nullptr) return *arguments.fault();
  return find_one_and(scope, arguments, Ejson(*update));
}

Result<Ejson> find_one_and_delete(const DataScope& scope, Arguments& arguments) {
  return find_one_and(scope, arguments, std::nullopt);
}

Result<Ejson> find_one_and_replace(const DataScope& scope, Arguments& arguments) {
  const Ejson* update = arguments.find("update");
  if (update == nullptr) update = arguments.find("replacement");
  // A deletion, as one client spells it (client-api.md 13, traps).
  if (update == nullptr) return find_one_and_delete(scope, arguments);
  if (has_operators(*update)) return no_operators();
  return find_one_and(scope, arguments, *update);
}

Result<std::vector<std::string>> foreign_collections(const DataScope& scope, const EjsonArray& stages) {
  auto known = scope.store.foreign_collections(stages);
  if (!known) return known.error();
  if (*known) return std::move(**known);
  auto pipeline = documents::Pipeline::compile(stages);
  if (!pipeline) return pipeline.error();
  return pipeline->foreign_collections();
}

Result<Ejson> aggregate(const DataScope& scope, Arguments& arguments) {
  AggregateQuery query;
  if (const EjsonArray* pipeline = arguments.required_array("pipeline")) query.pipeline = *pipeline;
  if (arguments.fault()) return *arguments.fault();
  query.gate = scope.gate;
  std::vector<std::shared_ptr<const DocumentGate>> held;
  if (scope.gate != nullptr) {
    auto foreign = foreign_collections(scope, query.pipeline);
    if (!foreign) return foreign.error();
    for (const std::string& name : *foreign) {
      auto gate = scope.gate_of(name);
      if (!gate) return gate.error();
      held.push_back(std::move(*gate));
      query.foreign_gates[name] = held.back().get();
    }
  }
  auto documents = scope.store.aggregate(scope.where, query);
  if (!documents) return documents.error();
  return Ejson(list_of(std::move(*documents)));
}

Result<Ejson> count(const DataScope& scope, Arguments& arguments) {
  const EjsonDocument filter = arguments.document("query", "filter");
  const std::int64_t limit = arguments.count("limit");
  const std::int64_t skip = arguments.count("skip");
  if (arguments.fault()) return *arguments.fault();
  // Those that are skipped are counted and taken off again.
  std::int64_t most = 0;
  if (limit > 0 && __builtin_add_overflow(limit, skip, &most)) most = 0;
  auto counted = scope.store.count(scope.where, filter, most, scope.gate);
  if (!counted) return counted.error();
  return Ejson(std::max<std::int64_t>(*counted - skip, 0));
}

Result<Ejson> distinct(const DataScope& scope, Arguments& arguments) {
  const std::string_view field = arguments.text(arguments.find("field") != nullptr ? "field" : "key");
  FindQuery query;
  query.filter = arguments.document("query", "filter");
  query.gate = scope.gate;
  if (arguments.fault()) return *arguments.fault();
  auto known = scope.store.distinct(scope.where, field, query.filter, scope.gate);
  if (!known) return known.error();
  if (*known) return Ejson(std::move(**known));
  auto documents = scope.store.find(scope.where, query);
  if (!documents) return documents.error();
  std::set<Ejson, documents::Less> values;
  const documents::Path path(field);
  for (const EjsonDocument& each : *documents) {
    documents::walk(each, path, [&](const Ejson* value, std::optional<std::size_t>) {
      const auto* list = value == nullptr ? nullptr : value->get_if<EjsonArray>();
      if (list != nullptr)
        values.insert(list->begin(), list->end());
      else if (value != nullptr)
        values.insert(*value);
      return false;
    });
  }
  return Ejson(EjsonArray(values.begin(), values.end()));
}

Result<Ejson> insert_one(const DataScope& scope, Arguments& arguments) {
  const EjsonDocument* document = arguments.required_document("document");
  if (document == nullptr) return *arguments.fault();
  auto ids = scope.store.insert(scope.where, {{*document}, true, scope.gate});
  if (!ids) return ids.error();
  return Ejson(EjsonDocument{{"insertedId", std::move(ids->front())}});
}

Result<Ejson> insert_many(const DataScope& scope, Arguments& arguments) {
  const EjsonArray* list = arguments.required_array("documents");
  if (list == nullptr) return *arguments.fault();
  InsertQuery query;
  query.ordered = arguments.find("ordered") == nullptr || arguments.flag("ordered");
  query.gate = scope.gate;
  if (arguments.fault()) return *arguments.fault();
  for (const Ejson& each : *list) {
    const auto* document = each.get_if<EjsonDocument>();
    if (document == nullptr) return refusal(ErrorCode::BadRequest, "'documents' must hold documents only");
    query.documents.push_back(*document);
  }
  auto ids = scope.store.insert(scope.where, std::move(query));
  if (!ids) return ids.error();
  return Ejson(EjsonDocument{{"insertedIds", std::move(*ids)}});
}

Result<Ejson> remove(const DataScope& scope, Arguments& arguments, bool many) {
  const EjsonDocument filter = arguments.document("query", "filter");
  if (arguments.fault()) return *arguments.fault();
  auto removed = scope.store.remove(scope.where, filter, many, scope.gate);
  if (!removed) return removed.error();
  return Ejson(EjsonDocument{{"deletedCount", int32(*removed)}});
}

Result<UpdateResult> updated(const DataScope& scope, Arguments& arguments, const Ejson& update, bool many) {
  UpdateQuery query;
  query.filter = arguments.document("query", "filter");
  query.update = update;
  query.array_filters = arguments.array("arrayFilters");
  query.upsert = arguments.flag("upsert");
  query.many = many;
  query.gate = scope.gate;
  if (arguments.fault()) return *arguments.fault();
  return scope.store.update(scope.where, query);
}

Result<Ejson> shown(Result<UpdateResult> result) {
  if (!result) return result.error();
  EjsonDocument out{{"matchedCount", int32(result->matched)}, {"modifiedCount", int32(result->modified)}};
  if (result->upserted_id) out.append("upsertedId", std::move(*result->upserted_id));
  return Ejson(std::move(out));
}

Result<Ejson> update(const DataScope& scope, Arguments& arguments, bool many) {
  const EjsonDocument* change = arguments.required_document("update");
  if (change == nullptr) return *arguments.fault();
  return shown(updated(scope, arguments, Ejson(*change), many));
}

Result<UpdateResult> replaced(const DataScope& scope, Arguments& arguments) {
  const EjsonDocument* document = arguments.required_document("replacement");
  if (document == nullptr) return *arguments.fault();
  if (has_operators(Ejson(*document))) return no_operators();
  return updated(scope, arguments, Ejson(*document), false);
}

/// The counts of a bulk write, as MongoDB's drivers show them.
struct BulkCounts {
  std::int64_t inserted = 0, matched = 0, modified = 0, deleted = 0, upserted = 0;
  EjsonDocument inserted_ids, upserted_ids;
};

Result<void> run_bulk_step(const DataScope& scope, const std::string& kind, const EjsonDocument& text,
                           std::size_t index, BulkCounts& counts) {
  if (auto fine = check_data_options(kind, text); !fine) return fine;
  Arguments arguments(text);
  if (kind == "insertOne") {
    auto inserted = insert_one(scope, arguments);
    if (!inserted) return inserted.error();
    ++counts.inserted;
    counts.inserted_ids.append(std::to_string(index), *inserted->find("insertedId"));
    return {};
  }
  if (kind == "deleteOne" || kind == "deleteMany") {
    auto removed = remove(scope, arguments, kind == "deleteMany");
    if (!removed) return removed.error();
    counts.deleted += removed->find("deletedCount")->to_int64().value_or(0);
    return {};
  }
  Result<UpdateResult> result = refusal(ErrorCode::BadRequest, "bulkWrite does not know '" + kind + "'");
  if (kind == "replaceOne") result = replaced(scope, arguments);
  if (kind == "updateOne" || kind == "updateMany") {
    const EjsonDocument* change = arguments.required_document("update");
    if (change == nullptr) return *arguments.fault();
    result = updated(scope, arguments, Ejson(*change), kind == "updateMany");
  }
  if (!result) return result.error();
  counts.matched += result->matched;
  counts.modified += result->modified;
  if (result->upserted_id) {
    ++counts.upserted;
    counts.upserted_ids.append(std::to_string(index), std::move(*result->upserted_id));
  }
  return {};
}

/// In order, up to the first fault; what was done before it stays, as MongoDB has it.
Result<Ejson> bulk_write(const DataScope& scope, Arguments& arguments) {
  const EjsonArray* operations = arguments.required_array("operations");
  if (operations == nullptr) return *arguments.fault();
  BulkCounts counts;
  for (std::size_t i = 0; i < operations->size(); ++i) {
    const auto* step = (*operations)[i].get_if<EjsonDocument>();
    const auto* text =
        step == nullptr || step->size() != 1 ? nullptr : step->begin()->second.get_if<EjsonDocument>();
    if (text == nullptr)
      return refusal(ErrorCode::BadRequest, "an operation must be a document of one member");
    if (auto done = run_bulk_step(scope, step->begin()->first, *text, i, counts); !done) return done.error();
  }
  return Ejson(EjsonDocument{{"insertedCount", int32(counts.inserted)},
                             {"matchedCount", int32(counts.matched)},
                             {"modifiedCount", int32(counts.modified)},
                             {"deletedCount", int32(counts.deleted)},
                             {"upsertedCount", int32(counts.upserted)},
                             {"insertedIds", std::move(counts.inserted_ids)},
                             {"upsertedIds", std::move(counts.upserted_ids)}});
}

}  // namespace

Result<Ejson> run_data_action(const DataScope& scope, std::string_view action, const EjsonDocument& text) {
  using Action = Result<Ejson> (*)(const DataScope&, Arguments&);
  static const std::map<std::string_view, Action> kActions{
      {"find", find},
      {"findOne", find_one},
      {"findOneAndUpdate", find_one_and_update},
      {"findOneAndReplace", find_one_and_replace},
      {"findOneAndDelete", find_one_and_delete},
      {"aggregate", aggregate},
      {"count", count},
      {"distinct", distinct},
      {"insertOne", insert_one},
      {"insertMany", insert_many},
      {"deleteOne", [](const DataScope& s, Arguments& a) { return remove(s, a, false); }},
      {"deleteMany", [](const DataScope& s, Arguments& a) { return remove(s, a, true); }},
      {"updateOne", [](const DataScope& s, Arguments& a) { return update(s, a, false); }},
      {"updateMany", [](const DataScope& s, Arguments& a) { return update(s, a, true); }},
      {"replaceOne", [](const DataScope& s, Arguments& a) { return shown(replaced(s, a)); }},
      {"bulkWrite", bulk_write},
  };
  const auto known = kActions.find(action);
  if (known == kActions.end()) {
    return refusal(ErrorCode::ServiceCommandNotFound, "command not found: '" + std::string(action) + "'");
  }
  if (auto fine = check_data_options(action, text); !fine) return fine.error();
  Arguments arguments(text);
  return known->second(scope, arguments);
}

}  // namespace keyturn::server

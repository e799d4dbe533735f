// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/mongo_document_store.hpp"

#include <utility>

#include "core/base/object_id.hpp"
#include "core/crypto/crypto.hpp"
#include "server/domain/documents/pipeline.hpp"
#include "server/domain/documents/shape.hpp"
#include "server/domain/refusal.hpp"
#include "server/storage/mongodb/guarded_changes.hpp"
#include "server/storage/mongodb/guarded_pipeline.hpp"
#include "server/storage/mongodb/seen_documents.hpp"

namespace keyturn::server::mongodb {
namespace {

using documents::Pipeline;
using documents::Projection;

constexpr std::size_t kMostDocuments = 50'000;  // client-api.md 13
constexpr std::size_t kIdBytes = 8;

using Documents = std::vector<EjsonDocument>;

Error too_many() {
  return refusal(ErrorCode::ReadSizeLimitExceeded, "the query reads more than 50000 documents");
}

/// Keeps documents up to the limit of one answer.
class Answer {
 public:
  bool add(EjsonDocument document) {
    documents_.push_back(std::move(document));
    return documents_.size() <= kMostDocuments;
  }
  Result<Documents> finish(Result<void> done) && {
    if (!done) return done.error();
    if (documents_.size() > kMostDocuments) return too_many();
    return std::move(documents_);
  }
  [[nodiscard]] std::size_t size() const noexcept { return documents_.size(); }

 private:
  Documents documents_;
};

/// Runs `work(Commands&)` with a client.
template <class Work>
auto with_commands(Cluster& cluster, const CollectionName& where, bool rules_apply, const Work& work)
    -> decltype(work(std::declval<Commands&>())) {
  if (auto fine = check_name(where, rules_apply); !fine) return fine.error();
  auto lease = cluster.lease();
  if (!lease) return lease.error();
  Commands commands(cluster, lease->get(), where);
  return work(commands);
}

EjsonDocument find_options(const FindQuery& query) {
  EjsonDocument options;
  if (!query.projection.empty()) options.append("projection", query.projection);
  if (!query.sort.empty()) options.append("sort", query.sort);
  if (query.skip > 0) options.append("skip", query.skip);
  if (query.limit > 0) options.append("limit", query.limit);
  return options;
}

/// What the gate is asked of each document for, before anything is skipped or counted.
Result<Documents> find_by_looking(Commands& commands, const FindQuery& query) {
  auto projection = Projection::compile(query.projection);
  if (!projection) return projection.error();
  Answer answer;
  std::int64_t to_skip = query.skip;
  auto done = find_seen(commands, query.filter, query.sort, *query.gate, [&](SeenDocument each) {
    if (to_skip > 0) {
      --to_skip;
      return true;
    }
    const bool more =
        answer.add(query.projection.empty() ? std::move(each.seen) : projection->apply(each.seen));
    return more && (query.limit == 0 || static_cast<std::int64_t>(answer.size()) < query.limit);
  });
  return std::move(answer).finish(std::move(done));
}

Result<Documents> read_seen(Commands& commands, const EjsonDocument& query, const DocumentGate* gate) {
  Documents all;
  Result<void> done;
  if (gate == nullptr) {
    done = commands.find(query, {}, [&](EjsonDocument each) {
      all.push_back(std::move(each));
      return true;
    });
  } else {
    done = find_seen(commands, query, {}, *gate, [&](SeenDocument each) {
      all.push_back(std::move(each.seen));
      return true;
    });
  }
  if (!done) return done.error();
  return all;
}

EjsonDocument with_id(EjsonDocument document, Clock& clock) {
  if (document.contains("_id")) return document;
  const std::string id = make_object_id(clock.wall_now(), crypto::random_bytes(kIdBytes));
  EjsonDocument whole{{"_id", *ObjectId::from_hex(id)}};
  for (const auto& [name, value] : document) whole.append(name, value);
  return whole;
}

bool all_are_exact(const AggregateQuery& query) {
  bool exact = is_exact(query.gate);
  for (const auto& [name, gate] : query.foreign_gates) exact = exact && is_exact(gate);
  return exact;
}

}  // namespace

Result<Documents> MongoDocumentStore::find(const CollectionName& where, const FindQuery& query) {
  return with_commands(*cluster_, where, query.gate != nullptr, [&](Commands& commands) -> Result<Documents> {
    if (!is_exact(query.gate)) return find_by_looking(commands, query);
    if (query.gate != nullptr) {
      for (const EjsonDocument* each : {&query.filter, &query.projection}) {
        if (auto fine = check_query(Ejson(*each)); !fine) return fine.error();
      }
    }
    Answer answer;
    auto done = commands.find(asked_of_cluster(query.filter, query.gate), find_options(query),
                              [&](EjsonDocument each) { return answer.add(std::move(each)); });
    return std::move(answer).finish(std::move(done));
  });
}

Result<std::int64_t> MongoDocumentStore::count(const CollectionName& where, const EjsonDocument& filter,
                                               std::int64_t limit, const DocumentGate* gate) {
  using Count = Result<std::int64_t>;
  return with_commands(*cluster_, where, gate != nullptr, [&](Commands& commands) -> Count {
    if (is_exact(gate)) {
      if (gate != nullptr) {
        if (auto fine = check_query(Ejson(filter)); !fine) return fine.error();
      }
      return commands.count(asked_of_cluster(filter, gate), limit);
    }
    std::int64_t counted = 0;
    auto done =
        find_seen(commands, filter, {}, *gate, [&](const SeenDocument&) { return ++counted != limit; });
    if (!done) return done.error();
    return counted;
  });
}

Result<Documents> MongoDocumentStore::aggregate(const CollectionName& where, const AggregateQuery& query) {
  return with_commands(*cluster_, where, query.gate != nullptr, [&](Commands& commands) -> Result<Documents> {
    if (all_are_exact(query)) {
      Result<EjsonArray> stages = query.pipeline;
      if (query.gate != nullptr)
        stages = guarded_pipeline(query.pipeline, query.gate->prefilter(), query.foreign_gates);
      if (!stages) return stages.error();
      Answer answer;
      auto done =
          commands.aggregate(*stages, [&](EjsonDocument each) { return answer.add(std::move(each)); });
      return std::move(answer).finish(std::move(done));
    }
    auto pipeline = Pipeline::compile(query.pipeline);
    if (!pipeline) return pipeline.error();
    auto documents = read_seen(commands, pipeline->leading_match(), query.gate);
    if (!documents) return documents;
    auto result = pipeline->run(std::move(*documents), [&](const std::string& name) -> Result<Documents> {
      const auto gate = query.foreign_gates.find(name);
      if (gate == query.foreign_gates.end())
        return refusal(ErrorCode::MongoDBError, "Invalid collection name");
      const CollectionName other{where.app_id, where.service, where.database, name};
      return with_commands(*cluster_, other, true,
                           [&](Commands& foreign) { return read_seen(foreign, {}, gate->second); });
    });
    if (result && result->size() > kMostDocuments) return too_many();
    return result;
  });
}

Result<std::optional<std::vector<std::string>>> MongoDocumentStore::foreign_collections(
    const EjsonArray& pipeline) {
  return std::optional(mongodb::foreign_collections(pipeline));
}

Result<std::optional<EjsonArray>> MongoDocumentStore::distinct(const CollectionName& where,
                                                               std::string_view field,
                                                               const EjsonDocument& filter,
                                                               const DocumentGate* gate) {
  using Values = std::optional<EjsonArray>;
  if (!is_exact(gate)) return Values();
  if (gate != nullptr) {
    if (auto fine = check_query(Ejson(filter)); !fine) return fine.error();
  }
  return with_commands(*cluster_, where, gate != nullptr, [&](Commands& commands) -> Result<Values> {
    auto values = commands.distinct(field, asked_of_cluster(filter, gate));
    if (!values) return values.error();
    return Values(std::move(*values));
  });
}

Result<EjsonArray> MongoDocumentStore::insert(const CollectionName& where, InsertQuery query) {
  if (query.documents.empty()) return refusal(ErrorCode::MongoDBError, "must provide at least one element");
  EjsonArray ids;
  Documents sent;
  std::optional<Error> unfit;  // the first that does not fit its schema, which the cluster knows nothing of
  for (EjsonDocument& each : query.documents) {
    EjsonDocument document = with_id(std::move(each), cluster_->clock());
    const auto allowed = query.gate == nullptr ? Result<void>() : query.gate->check_insert(document);
    if (!allowed && !is_about_one_document(allowed.error())) return allowed.error();
    if (!allowed && !unfit) unfit = allowed.error();
    if (!allowed || (unfit && query.ordered)) continue;
    ids.push_back(*document.find("_id"));
    sent.push_back(std::move(document));
  }
  if (sent.empty()) return *unfit;
  return with_commands(*cluster_, where, query.gate != nullptr,
                       [&](Commands& commands) -> Result<EjsonArray> {
                         if (auto done = commands.insert(sent, query.ordered); !done) return done.error();
                         if (unfit) return *unfit;
                         return ids;
                       });
}

Result<UpdateResult> MongoDocumentStore::update(const CollectionName& where, const UpdateQuery& query) {
  if (query.gate != nullptr || !query.guard.empty()) return guarded_update(*cluster_, where, query);
  return with_commands(*cluster_, where, false,
                       [&](Commands& commands) { return commands.update(query.filter, query); });
}

Result<std::optional<EjsonDocument>> MongoDocumentStore::find_and_modify(const CollectionName& where,
                                                                         const FindAndModifyQuery& query) {
  if (query.gate != nullptr || !query.guard.empty()) return guarded_find_and_modify(*cluster_, where, query);
  return with_commands(*cluster_, where, false,
                       [&](Commands& commands) { return commands.find_and_modify(query); });
}

Result<std::int64_t> MongoDocumentStore::remove(const CollectionName& where, const EjsonDocument& filter,
                                                bool many, const DocumentGate* gate) {
  if (gate != nullptr) return guarded_remove(*cluster_, where, filter, many, *gate);
  return with_commands(*cluster_, where, false,
                       [&](Commands& commands) { return commands.remove(filter, many); });
}

Result<void> MongoDocumentStore::create_index(const CollectionName& where, const IndexDefinition& index) {
  return with_commands(*cluster_, where, false,
                       [&](Commands& commands) { return commands.create_index(index); });
}

Result<std::vector<IndexDefinition>> MongoDocumentStore::indexes(const CollectionName& where) {
  return with_commands(*cluster_, where, false, [](Commands& commands) { return commands.indexes(); });
}

Result<bool> MongoDocumentStore::drop_index(const CollectionName& where, std::string_view name) {
  return with_commands(*cluster_, where, false,
                       [&](Commands& commands) { return commands.drop_index(std::string(name)); });
}

std::shared_ptr<void> MongoDocumentStore::watch(const CollectionName& where, ChangeObserver observer) {
  auto started = start_watch(where, std::move(observer));
  return started ? std::move(*started) : nullptr;
}

Result<std::shared_ptr<void>> MongoDocumentStore::start_watch(const CollectionName& where,
                                                              ChangeObserver observer) {
  if (auto fine = check_name(where, true); !fine) return fine.error();
  return streams_.watch(where, std::move(observer));
}

}  // namespace keyturn::server::mongodb

// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/guarded_changes.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/named_paths.hpp"
#include "server/domain/documents/shape.hpp"
#include "server/storage/mongodb/guarded_pipeline.hpp"
#include "server/storage/mongodb/seen_documents.hpp"
#include "server/storage/mongodb/transaction.hpp"

namespace keyturn::server::mongodb {
namespace {

using documents::Filter;
using documents::Projection;

constexpr std::string_view kDuplicateKey = "Duplicate key error";

Error not_permitted(const char* what) {
  return {ErrorCode::NoMatchingRuleFound, std::string(what) + " not permitted"};
}

/// For a guard without a gate.
class OpenGate final : public DocumentGate {
 public:
  [[nodiscard]] EjsonDocument prefilter() const override { return {}; }
  [[nodiscard]] bool hides_members() const override { return false; }
  [[nodiscard]] std::optional<EjsonDocument> view(const EjsonDocument& document) const override {
    return document;
  }
  [[nodiscard]] Result<void> check_insert(const EjsonDocument&) const override { return {}; }
  [[nodiscard]] Result<void> check_named(const EjsonDocument&,
                                         const std::vector<documents::Path>&) const override {
    return {};
  }
  [[nodiscard]] Result<void> check_update(const EjsonDocument&, const EjsonDocument&,
                                          const std::vector<documents::Path>&) const override {
    return {};
  }
  [[nodiscard]] Result<void> check_remove(const EjsonDocument&) const override { return {}; }
};

const DocumentGate& gate_or_open(const DocumentGate* gate) {
  static const OpenGate kOpen;
  return gate == nullptr ? kOpen : *gate;
}

EjsonDocument ids_of(const std::vector<SeenDocument>& documents) {
  if (documents.size() == 1) return {{"_id", *documents.front().document.find("_id")}};
  EjsonArray ids;
  for (const SeenDocument& each : documents) ids.push_back(*each.document.find("_id"));
  return {{"_id", EjsonDocument{{"$in", std::move(ids)}}}};
}

/// The documents found, by id. The caller's filter comes along, since `$` in an update stands for what it
/// matched; but not to where members are hidden from it.
EjsonDocument these(const std::vector<SeenDocument>& documents, const EjsonDocument& filter,
                    const DocumentGate& gate) {
  EjsonDocument ids = ids_of(documents);
  if (gate.hides_members() || filter.empty()) return ids;
  return {{"$and", EjsonArray{std::move(ids), filter}}};
}

/// The filter of an upsert of which the caller sees no match: what it says is equal goes into the new
/// document, but it meets no document, for whether one that is hidden would match is not for the caller to
/// ask.
EjsonDocument meeting_none(const EjsonDocument& filter) {
  EjsonArray parts{EjsonDocument{{"_id", EjsonDocument{{"$exists", false}}}}};
  if (!filter.empty()) parts.emplace_back(filter);
  return {{"$and", std::move(parts)}};
}

/// One change of one kind of caller.
class Change {
 public:
  Change(Commands& commands, const UpdateQuery& query, const DocumentGate& gate, const Filter& guard)
      : commands_(commands), query_(query), gate_(gate), guard_(guard) {}

  /// Changes what was found and asks the gate what it has become: the documents in the order of `found`.
  Result<UpdateResult> apply(const std::vector<SeenDocument>& found, std::vector<EjsonDocument>* became) {
    for (const SeenDocument& each : found) {
      if (auto allowed = gate_.check_named(each.document, named_in(each)); !allowed) return allowed.error();
    }
    UpdateQuery plain = query_;
    plain.upsert = false;
    auto result = commands_.update(these(found, query_.filter, gate_), plain);
    if (!result) return told(result.error(), found);
    auto after = read(ids_of(found));
    if (!after) return after.error();
    for (const SeenDocument& each : found) {
      const Ejson& id = *each.document.find("_id");
      const auto now = std::find_if(after->begin(), after->end(), [&](const EjsonDocument& candidate) {
        return *candidate.find("_id") == id;
      });
      if (now == after->end() || !guard_.matches(*now)) return not_permitted("update");
      if (auto allowed = gate_.check_update(each.document, *now, named_in(each)); !allowed)
        return allowed.error();
      if (became != nullptr) became->push_back(*now);
    }
    return result;
  }

  /// Nothing was found that the caller sees.
  Result<UpdateResult> insert(std::optional<EjsonDocument>* became) {
    UpdateQuery plain = query_;
    plain.many = false;
    auto result = commands_.update(meeting_none(query_.filter), plain);
    if (!result) return result;
    if (!result->upserted_id) return not_permitted("update");
    auto after = read({{"_id", *result->upserted_id}});
    if (!after) return after.error();
    if (after->size() != 1 || !guard_.matches(after->front())) return not_permitted("insert");
    if (auto allowed = gate_.check_insert(after->front()); !allowed) return allowed.error();
    if (became != nullptr) *became = std::move(after->front());
    return result;
  }

 private:
  [[nodiscard]] std::vector<documents::Path> named_in(const SeenDocument& each) const {
    return documents::named_paths(query_.update, each.document);
  }

  /// The cluster's fault may say what is stored: where that is hidden, it stays here.
  [[nodiscard]] Error told(Error fault, const std::vector<SeenDocument>& found) const {
    if (!gate_.hides_members() || commands_.is_transient() || fault.code != ErrorCode::MongoDBError)
      return fault;
    const bool tells_nothing = std::all_of(found.begin(), found.end(), [&](const SeenDocument& each) {
      return documents::same_at(each.document, each.seen, named_in(each));
    });
    if (!tells_nothing) return not_permitted("update");
    // The key that it names may have hidden parts.
    if (fault.message.starts_with(kDuplicateKey)) fault.message = kDuplicateKey;
    return fault;
  }

  Result<std::vector<EjsonDocument>> read(const EjsonDocument& ids) {
    std::vector<EjsonDocument> documents;
    auto done = commands_.find(ids, {}, [&](EjsonDocument each) {
      documents.push_back(std::move(each));
      return true;
    });
    if (!done) return done.error();
    return documents;
  }

  Commands& commands_;
  const UpdateQuery& query_;
  const DocumentGate& gate_;
  const Filter& guard_;
};

Result<void> remove_these(Commands& commands, const std::vector<SeenDocument>& found,
                          const DocumentGate& gate) {
  for (const SeenDocument& each : found) {
    if (auto allowed = gate.check_remove(each.document); !allowed) return allowed;
  }
  auto removed = commands.remove(ids_of(found), found.size() > 1);
  if (!removed) return removed.error();
  return {};
}

UpdateQuery update_of(const FindAndModifyQuery& query) {
  UpdateQuery update;
  update.filter = query.filter;
  if (query.update) update.update = *query.update;
  update.array_filters = query.array_filters;
  update.upsert = query.upsert;
  update.guard = query.guard;
  update.gate = query.gate;
  return update;
}

}  // namespace

Result<UpdateResult> guarded_update(Cluster& cluster, const CollectionName& where, const UpdateQuery& query) {
  if (auto fine = check_name(where, true); !fine) return fine.error();
  const DocumentGate& gate = gate_or_open(query.gate);
  auto guard = Filter::compile(query.guard);
  if (!guard) return guard.error();
  return in_transaction(cluster, where, [&](Commands& commands) -> Result<UpdateResult> {
    auto found = seen_documents(commands, query.filter, {}, gate, query.many);
    if (!found) return found.error();
    Change change(commands, query, gate, *guard);
    if (!found->empty()) return change.apply(*found, nullptr);
    if (query.upsert) return change.insert(nullptr);
    return UpdateResult{};
  });
}

Result<std::optional<EjsonDocument>> guarded_find_and_modify(Cluster& cluster, const CollectionName& where,
                                                             const FindAndModifyQuery& query) {
  using Answer = std::optional<EjsonDocument>;
  if (auto fine = check_name(where, true); !fine) return fine.error();
  const DocumentGate& gate = gate_or_open(query.gate);
  auto guard = Filter::compile(query.guard);
  if (!guard) return guard.error();
  auto projection = Projection::compile(query.projection);
  if (!projection) return projection.error();
  const auto shown = [&](const EjsonDocument& document) {
    const auto seen = gate.view(document);
    return seen ? Answer(projection->apply(*seen)) : Answer();
  };
  const UpdateQuery update = update_of(query);
  return in_transaction(cluster, where, [&](Commands& commands) -> Result<Answer> {
    auto found = seen_documents(commands, query.filter, query.sort, gate, false);
    if (!found) return found.error();
    Change change(commands, update, gate, *guard);
    if (found->empty()) {
      if (!query.upsert || !query.update) return Answer();
      Answer made;
      if (auto done = change.insert(&made); !done) return done.error();
      return query.return_new ? shown(*made) : Answer();
    }
    const EjsonDocument& before = found->front().document;
    if (!query.update) {
      if (auto done = remove_these(commands, *found, gate); !done) return done.error();
      return shown(before);
    }
    std::vector<EjsonDocument> became;
    if (auto done = change.apply(*found, &became); !done) return done.error();
    return shown(query.return_new ? became.front() : before);
  });
}

Result<std::int64_t> guarded_remove(Cluster& cluster, const CollectionName& where,
                                    const EjsonDocument& filter, bool many, const DocumentGate& gate) {
  if (auto fine = check_name(where, true); !fine) return fine.error();
  return in_transaction(cluster, where, [&](Commands& commands) -> Result<std::int64_t> {
    auto found = seen_documents(commands, filter, {}, gate, many);
    if (!found) return found.error();
    if (found->empty()) return std::int64_t{0};
    if (auto done = remove_these(commands, *found, gate); !done) return done.error();
    return static_cast<std::int64_t>(found->size());
  });
}

}  // namespace keyturn::server::mongodb

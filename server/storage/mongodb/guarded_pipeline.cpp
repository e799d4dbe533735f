// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/guarded_pipeline.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server::mongodb {
namespace {

/// Stages that make documents of the documents before them, and nothing else.
constexpr std::array<std::string_view, 19> kStages{
    "$match",  "$project",    "$addFields", "$set",    "$unset",          "$group",       "$sort",
    "$limit",  "$skip",       "$unwind",    "$count",  "$replaceRoot",    "$replaceWith", "$sortByCount",
    "$bucket", "$bucketAuto", "$sample",    "$redact", "$setWindowFields"};

Error refused_stage(std::string text) { return refusal(ErrorCode::MongoDBError, std::move(text)); }

const EjsonArray& array_at(const EjsonDocument& document, std::string_view name) {
  static const EjsonArray kNone;
  const Ejson* value = document.find(name);
  const auto* list = value == nullptr ? nullptr : value->get_if<EjsonArray>();
  return list == nullptr ? kNone : *list;
}

std::string text_at(const EjsonDocument& document, std::string_view name) {
  const Ejson* value = document.find(name);
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  return text == nullptr ? std::string() : *text;
}

/// The one member of a stage, or null.
const EjsonDocument::Member* member_of(const Ejson& stage) {
  const auto* document = stage.get_if<EjsonDocument>();
  return document == nullptr || document->size() != 1 ? nullptr : &*document->begin();
}

void gather(const EjsonArray& pipeline, std::vector<std::string>& names) {
  for (const Ejson& stage : pipeline) {
    const auto* member = member_of(stage);
    if (member == nullptr) continue;
    const auto& [name, value] = *member;
    const auto* text = value.get_if<EjsonDocument>();
    if (name == "$unionWith" && value.get_if<std::string>() != nullptr)
      names.push_back(*value.get_if<std::string>());
    if (text == nullptr) continue;
    if (name == "$lookup") names.push_back(text_at(*text, "from"));
    if (name == "$unionWith") names.push_back(text_at(*text, "coll"));
    if (name == "$lookup" || name == "$unionWith") gather(array_at(*text, "pipeline"), names);
    if (name != "$facet") continue;
    for (const auto& [facet, inner] : *text) {
      if (const auto* list = inner.get_if<EjsonArray>()) gather(*list, names);
    }
  }
}

class Guard {
 public:
  explicit Guard(const ForeignGates& foreign) : foreign_(foreign) {}

  Result<EjsonArray> guard(const EjsonArray& pipeline, const EjsonDocument& prefilter) const {
    EjsonArray out;
    if (!prefilter.empty()) out.emplace_back(EjsonDocument{{"$match", prefilter}});
    for (const Ejson& stage : pipeline) {
      auto made = guarded(stage);
      if (!made) return made.error();
      out.push_back(std::move(*made));
    }
    return out;
  }

 private:
  Result<Ejson> guarded(const Ejson& stage) const {
    const auto* member = member_of(stage);
    if (member == nullptr)
      return refused_stage("A pipeline stage specification object must contain exactly one field.");
    const auto& [name, value] = *member;
    if (std::find(kStages.begin(), kStages.end(), name) != kStages.end()) return stage;
    const auto* text = value.get_if<EjsonDocument>();
    if (name == "$facet" && text != nullptr) return facet(*text);
    if (name == "$lookup" && text != nullptr) return reading(name, *text, "from");
    if (name == "$unionWith") {
      if (text != nullptr) return reading(name, *text, "coll");
      return reading(name, EjsonDocument{{"coll", value}}, "coll");
    }
    return refused_stage("the stage " + name + " is not permitted to callers under rules");
  }

  Result<Ejson> facet(const EjsonDocument& facets) const {
    EjsonDocument out;
    for (const auto& [name, inner] : facets) {
      const auto* list = inner.get_if<EjsonArray>();
      if (list == nullptr) return refused_stage("arguments to $facet must be arrays");
      auto made = guard(*list, {});
      if (!made) return made.error();
      out.append(name, std::move(*made));
    }
    return Ejson(EjsonDocument{{"$facet", std::move(out)}});
  }

  /// A stage that reads the collection which its member names.
  Result<Ejson> reading(const std::string& name, const EjsonDocument& text,
                        std::string_view collection) const {
    const auto gate = foreign_.find(text_at(text, collection));
    if (gate == foreign_.end()) return refused_stage(name + " must name a collection");
    auto inner = guard(array_at(text, "pipeline"),
                       gate->second == nullptr ? EjsonDocument() : gate->second->prefilter());
    if (!inner) return inner.error();
    EjsonDocument out = text;
    out.erase("pipeline");
    if (!inner->empty()) out.append("pipeline", std::move(*inner));
    return Ejson(EjsonDocument{{name, std::move(out)}});
  }

  const ForeignGates& foreign_;
};

}  // namespace

bool is_exact(const DocumentGate* gate) { return gate == nullptr || gate->prefilter_is_exact(); }

EjsonDocument asked_of_cluster(const EjsonDocument& query, const DocumentGate* gate) {
  if (gate == nullptr) return query;
  EjsonDocument prefilter = gate->prefilter();
  if (gate->hides_members() || query.empty()) return prefilter;
  if (prefilter.empty()) return query;
  return {{"$and", EjsonArray{std::move(prefilter), query}}};
}

Result<void> check_query(const Ejson& query) {
  if (const auto* list = query.get_if<EjsonArray>()) {
    for (const Ejson& each : *list) {
      if (auto fine = check_query(each); !fine) return fine;
    }
  }
  const auto* document = query.get_if<EjsonDocument>();
  if (document == nullptr) return {};
  for (const auto& [name, value] : *document) {
    if (name == "$where" || name == "$function" || name == "$accumulator")
      return refused_stage(name + " is not permitted to callers under rules");
    if (auto fine = check_query(value); !fine) return fine;
  }
  return {};
}

std::vector<std::string> foreign_collections(const EjsonArray& pipeline) {
  std::vector<std::string> names;
  gather(pipeline, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<EjsonArray> guarded_pipeline(const EjsonArray& pipeline, const EjsonDocument& prefilter,
                                    const ForeignGates& foreign) {
  if (auto fine = check_query(Ejson(pipeline)); !fine) return fine.error();
  return Guard(foreign).guard(pipeline, prefilter);
}

}  // namespace keyturn::server::mongodb

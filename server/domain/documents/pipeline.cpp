// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/pipeline.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "server/domain/documents/expression.hpp"
#include "server/domain/documents/fields_stage.hpp"
#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/group.hpp"
#include "server/domain/documents/lookup_values.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/refusals.hpp"
#include "server/domain/documents/shape.hpp"
#include "server/domain/documents/sort.hpp"

namespace keyturn::server::documents {
namespace {

using Documents = std::vector<EjsonDocument>;

struct Match {
  EjsonDocument query;
  Filter filter;
};
struct Unset {
  Projection projection;
};
struct Skip {
  std::size_t count;
};
struct Limit {
  std::size_t count;
};
struct Count {
  std::string name;
};
struct Unwind {
  Path path{""};
  bool keep_empty = false;
  std::string index_name;
};
struct Lookup {
  std::string from;
  Path local{""};
  Path foreign{""};
  std::string as;
};
struct ReplaceRoot {
  Expression root;
};
using Stage = std::variant<Match, AddFields, ProjectFields, Unset, Sort, Skip, Limit, Count, Unwind, Lookup,
                           ReplaceRoot, Group>;

void set_path(EjsonDocument& document, const Path& path, std::size_t depth, Ejson value) {
  const std::string& name = path.parts()[depth];
  if (depth + 1 == path.parts().size()) {
    document.set(name, std::move(value));
    return;
  }
  Ejson* child = document.find(name);
  if (child == nullptr || child->get_if<EjsonDocument>() == nullptr)
    child = &document.set(name, EjsonDocument{});
  set_path(*child->get_if<EjsonDocument>(), path, depth + 1, std::move(value));
}

template <class T>
Result<Stage> as_stage(Result<T> compiled) {
  if (!compiled) return compiled.error();
  return Stage(std::move(*compiled));
}

Result<Stage> compile_unset(const Ejson& operand) {
  EjsonArray names = {operand};
  if (const auto* several = operand.get_if<EjsonArray>()) names = *several;
  if (names.empty())
    return refused("$unset specification must be a string or an array with at least one field");
  EjsonDocument exclusion;
  for (const Ejson& name : names) {
    const auto* text = name.get_if<std::string>();
    if (text == nullptr || text->empty())
      return refused("$unset specification must be a string or an array of strings");
    exclusion.set(*text, false);
  }
  auto projection = Projection::compile(exclusion);
  if (!projection) return projection.error();
  return Stage(Unset{std::move(*projection)});
}

Result<Stage> compile_unwind(const Ejson& operand) {
  Unwind stage;
  for (const auto* members = operand.get_if<EjsonDocument>(); members != nullptr; members = nullptr) {
    for (const auto& member : *members) {
      if (member.first != "path" && member.first != "preserveNullAndEmptyArrays" &&
          member.first != "includeArrayIndex")
        return refused("unrecognized option to $unwind stage: " + member.first);
    }
  }
  const Ejson* path = operand.get_if<std::string>() != nullptr ? &operand : operand.find("path");
  const auto* text = path == nullptr ? nullptr : path->get_if<std::string>();
  if (text == nullptr || text->size() < 2 || text->front() != '$')
    return refused("path option to $unwind stage should be prefixed with a '$'");
  stage.path = Path(text->substr(1));
  if (has_empty_part(stage.path) || text->at(1) == '$')
    return refused("FieldPath field names may not be empty or start with '$': '" + *text + "'");
  if (const Ejson* keep = operand.find("preserveNullAndEmptyArrays")) {
    if (keep->get_if<bool>() == nullptr)
      return refused("expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage");
    stage.keep_empty = *keep == Ejson(true);
  }
  if (const Ejson* index = operand.find("includeArrayIndex")) {
    const auto* name = index->get_if<std::string>();
    if (name == nullptr || name->empty() || name->front() == '$')
      return refused("expected a non-empty string for the includeArrayIndex option to $unwind stage");
    stage.index_name = *name;
  }
  return Stage(std::move(stage));
}

Result<Stage> compile_lookup(const Ejson& operand) {
  if (operand.find("pipeline") != nullptr || operand.find("let") != nullptr)
    return outside_the_subset("$lookup with a pipeline");
  if (const auto* members = operand.get_if<EjsonDocument>(); members != nullptr && members->size() > 4)
    return refused("$lookup takes from, localField, foreignField and as");
  std::string parts[4];
  const char* const names[] = {"from", "localField", "foreignField", "as"};
  for (std::size_t i = 0; i < 4; ++i) {
    const Ejson* value = operand.find(names[i]);
    const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
    if (text == nullptr || text->empty())
      return refused(std::string("$lookup needs a string for '") + names[i] + "'");
    parts[i] = *text;
  }
  return Stage(Lookup{parts[0], Path(parts[1]), Path(parts[2]), parts[3]});
}

Result<Stage> compile_count(const std::string& name, const Ejson& operand) {
  const auto number = operand.to_int64();
  if (!number || *number < (name == "$limit" ? 1 : 0))
    return refused("invalid argument to " + name + " stage");
  const auto count = static_cast<std::size_t>(*number);
  return name == "$limit" ? Stage(Limit{count}) : Stage(Skip{count});
}

Result<Stage> compile_stage(const std::string& name, const Ejson& operand) {
  const auto* document = operand.get_if<EjsonDocument>();
  const auto needs_document = [&]() { return refused("the " + name + " specification must be an object"); };
  if (name == "$unset") return compile_unset(operand);
  if (name == "$limit" || name == "$skip") return compile_count(name, operand);
  if (name == "$unwind") return compile_unwind(operand);
  if (name == "$count") {
    const auto* field = operand.get_if<std::string>();
    if (field == nullptr || field->empty() || field->front() == '$' || field->find('.') != std::string::npos)
      return refused("the count field must be a non-empty string without '$' and '.'");
    return Stage(Count{*field});
  }
  if (name == "$match" || name == "$sort" || name == "$addFields" || name == "$set" || name == "$project" ||
      name == "$lookup" || name == "$replaceRoot" || name == "$group") {
    if (document == nullptr) return needs_document();
  }
  if (name == "$match") {
    auto filter = Filter::compile(*document);
    if (!filter) return filter.error();
    return Stage(Match{*document, std::move(*filter)});
  }
  if (name == "$sort") {
    if (document->empty()) return refused("$sort stage must have at least one sort key");
    auto sort = Sort::compile(*document);
    if (!sort) return sort.error();
    return Stage(std::move(*sort));
  }
  if (name == "$addFields" || name == "$set") return as_stage(AddFields::compile(*document));
  if (name == "$project") return as_stage(ProjectFields::compile(*document));
  if (name == "$lookup") return compile_lookup(operand);
  if (name == "$group") {
    auto group = Group::compile(*document);
    if (!group) return group.error();
    return Stage(std::move(*group));
  }
  if (name == "$replaceRoot" || name == "$replaceWith") {
    const Ejson* root = name == "$replaceWith" ? &operand : document->find("newRoot");
    if (root == nullptr) return refused("no newRoot specified for the $replaceRoot stage");
    if (name == "$replaceRoot" && document->size() > 1)
      return refused("$replaceRoot takes nothing but newRoot");
    auto expression = Expression::compile(*root);
    if (!expression) return expression.error();
    return Stage(ReplaceRoot{std::move(*expression)});
  }
  for (const char* known : {"$facet", "$bucket", "$bucketAuto", "$sortByCount", "$graphLookup", "$geoNear",
                            "$sample", "$out", "$merge", "$redact", "$unionWith", "$setWindowFields",
                            "$densify", "$fill", "$search", "$indexStats", "$collStats"}) {
    if (name == known) return outside_the_subset("the stage " + name);
  }
  return refused("Unrecognized pipeline stage name: '" + name + "'.");
}

struct Runner {
  Documents documents;
  const Pipeline::ReadCollection& foreign;

  Result<void> operator()(const Match& stage) {
    std::erase_if(documents, [&](const EjsonDocument& document) { return !stage.filter.matches(document); });
    return {};
  }
  Result<void> operator()(const AddFields& stage) {
    for (EjsonDocument& document : documents) {
      const EjsonDocument source = document;
      if (auto done = stage.apply(source, document); !done) return done;
    }
    return {};
  }
  Result<void> operator()(const ProjectFields& stage) {
    for (EjsonDocument& document : documents) {
      auto shaped = stage.apply(document);
      if (!shaped) return shaped.error();
      document = std::move(*shaped);
    }
    return {};
  }
  Result<void> operator()(const Unset& stage) {
    for (EjsonDocument& document : documents) document = stage.projection.apply(document);
    return {};
  }
  Result<void> operator()(const Sort& stage) { return stage.apply(documents); }
  Result<void> operator()(const Skip& stage) {
    documents.erase(documents.begin(),
                    documents.begin() + static_cast<std::ptrdiff_t>(std::min(stage.count, documents.size())));
    return {};
  }
  Result<void> operator()(const Limit& stage) {
    if (documents.size() > stage.count) documents.resize(stage.count);
    return {};
  }
  Result<void> operator()(const Count& stage) {
    const auto count = static_cast<std::int32_t>(documents.size());
    documents.clear();
    if (count > 0) documents.push_back({{stage.name, count}});
    return {};
  }
  Result<void> operator()(const Unwind& stage) {
    Documents unwound;
    for (const EjsonDocument& document : documents) {
      const Ejson* value = find_plain(document, stage.path);
      const auto* array = value == nullptr ? nullptr : value->get_if<EjsonArray>();
      const auto emit = [&](const Ejson* element, Ejson index) {
        EjsonDocument copy = document;
        if (element != nullptr) set_path(copy, stage.path, 0, *element);
        if (!stage.index_name.empty()) set_path(copy, Path(stage.index_name), 0, std::move(index));
        unwound.push_back(std::move(copy));
      };
      if (array == nullptr) {
        const bool empty = value == nullptr || value->is_null() || value->get_if<BsonUndefined>() != nullptr;
        if (!empty || stage.keep_empty) emit(nullptr, Ejson());
        continue;
      }
      for (std::size_t i = 0; i < array->size(); ++i) emit(&(*array)[i], static_cast<std::int64_t>(i));
      if (array->empty() && stage.keep_empty) {
        emit(nullptr, Ejson());
        auto without = Projection::compile({{dotted(stage.path), false}});
        if (without) unwound.back() = without->apply(unwound.back());
      }
    }
    documents = std::move(unwound);
    return {};
  }
  Result<void> operator()(const Lookup& stage) {
    auto others = foreign(stage.from);
    if (!others) return others.error();
    for (EjsonDocument& document : documents) {
      auto wanted = LookupValues::of(document, stage.local);
      if (!wanted) return wanted.error();
      EjsonArray joined;
      for (const EjsonDocument& other : *others) {
        if (wanted->are_found_in(other, stage.foreign)) joined.emplace_back(other);
      }
      set_path(document, Path(stage.as), 0, std::move(joined));
    }
    return {};
  }
  Result<void> operator()(const ReplaceRoot& stage) {
    for (EjsonDocument& document : documents) {
      auto root = stage.root.evaluate(document);
      if (!root) return root.error();
      auto* replacement = *root ? (*root)->get_if<EjsonDocument>() : nullptr;
      if (replacement == nullptr) return refused("'newRoot' expression must evaluate to an object");
      document = EjsonDocument(*replacement);
    }
    return {};
  }
  Result<void> operator()(const Group& stage) {
    auto grouped = stage.run(documents);
    if (!grouped) return grouped.error();
    documents = std::move(*grouped);
    return {};
  }
};

}  // namespace

struct Pipeline::Stages {
  std::vector<Stage> all;
};

Pipeline::Pipeline(std::shared_ptr<const Stages> stages) : stages_(std::move(stages)) {}

Result<Pipeline> Pipeline::compile(const EjsonArray& stages) {
  constexpr std::size_t kMaxStages = 200;
  if (stages.size() > kMaxStages) return refused("Pipeline length must be no longer than 200 stages");
  auto compiled = std::make_shared<Stages>();
  for (const Ejson& stage : stages) {
    const auto* document = stage.get_if<EjsonDocument>();
    if (document == nullptr || document->size() != 1)
      return refused("A pipeline stage specification object must contain exactly one field.");
    auto each = compile_stage(document->begin()->first, document->begin()->second);
    if (!each) return each.error();
    compiled->all.push_back(std::move(*each));
  }
  return Pipeline(std::move(compiled));
}

std::vector<std::string> Pipeline::foreign_collections() const {
  std::vector<std::string> names;
  for (const Stage& stage : stages_->all) {
    if (const auto* lookup = std::get_if<Lookup>(&stage)) names.push_back(lookup->from);
  }
  return names;
}

EjsonDocument Pipeline::leading_match() const {
  const auto* match = stages_->all.empty() ? nullptr : std::get_if<Match>(&stages_->all.front());
  return match == nullptr ? EjsonDocument{} : match->query;
}

Result<std::vector<EjsonDocument>> Pipeline::run(std::vector<EjsonDocument> documents,
                                                 const ReadCollection& foreign) const {
  Runner runner{std::move(documents), foreign};
  for (const Stage& stage : stages_->all) {
    const auto done = std::visit(runner, stage);
    if (!done) return done.error();
  }
  return std::move(runner.documents);
}

}  // namespace keyturn::server::documents

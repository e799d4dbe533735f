// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"
#include "server/domain/documents/update_places.hpp"
#include "server/domain/documents/update_plan.hpp"

namespace keyturn::server::documents {
namespace {

using Kind = UpdateStep::Kind;

struct Operator {
  std::string_view name;
  Kind kind;
};
constexpr std::array kOperators = {Operator{"$set", Kind::set},
                                   Operator{"$unset", Kind::unset},
                                   Operator{"$inc", Kind::inc},
                                   Operator{"$mul", Kind::mul},
                                   Operator{"$min", Kind::min},
                                   Operator{"$max", Kind::max},
                                   Operator{"$rename", Kind::rename},
                                   Operator{"$setOnInsert", Kind::set_on_insert},
                                   Operator{"$currentDate", Kind::current_date},
                                   Operator{"$push", Kind::push},
                                   Operator{"$addToSet", Kind::add_to_set},
                                   Operator{"$pull", Kind::pull},
                                   Operator{"$pop", Kind::pop}};

Result<void> compile_sort(PushPlan& plan, const Ejson& operand) {
  if (const auto direction = operand.to_int64(); direction && (*direction == 1 || *direction == -1)) {
    plan.sort_values = static_cast<int>(*direction);
    return {};
  }
  const auto* keys = operand.get_if<EjsonDocument>();
  if (keys == nullptr)
    return refused(
        "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields");
  if (keys->empty()) return refused("The $sort pattern is empty when it should be a set of fields.");
  for (const auto& key : *keys) {
    if (has_empty_part(Path(key.first)))
      return refused("The $sort field is a dotted field but has an empty part: " + key.first);
  }
  auto sort = Sort::compile(*keys);
  if (!sort) return sort.error();
  plan.sort_documents = std::move(*sort);
  return {};
}

Result<PushPlan> compile_push(const Ejson& operand, bool modifiers) {
  PushPlan plan;
  const Ejson* each = operand.find("$each");
  if (each == nullptr) {
    const auto* members = operand.get_if<EjsonDocument>();
    if (members != nullptr && !members->empty() && members->begin()->first.starts_with('$'))
      return refused("The dollar ($) prefixed field '" + members->begin()->first + "' needs $each");
    plan.values.push_back(operand);
    return plan;
  }
  const auto* values = each->get_if<EjsonArray>();
  if (values == nullptr) return refused("The argument to $each must be an array");
  plan.values = *values;
  for (const auto& [name, value] : *operand.get_if<EjsonDocument>()) {
    if (name == "$each") continue;
    if (!modifiers) return refused("Found unexpected fields after $each in $addToSet: " + name);
    const auto number = value.to_int64();
    if (name == "$position" || name == "$slice") {
      if (!number || *number == std::numeric_limits<std::int64_t>::min())
        return refused("The value for " + name + " must be an integer value");
      (name == "$position" ? plan.position : plan.slice) = *number;
    } else if (name == "$sort") {
      const auto done = compile_sort(plan, value);
      if (!done) return done.error();
    } else {
      return refused("Unrecognized clause in $push: " + name);
    }
  }
  return plan;
}

// A query of the elements that are documents, as the manual has it, unless the operand begins with an
// operator on a value.
bool is_query(const EjsonDocument& operand) {
  static constexpr std::array kQueryOperators = {"$and",     "$or",    "$nor",  "$not",       "$expr",
                                                 "$comment", "$where", "$text", "$jsonSchema"};
  if (operand.empty()) return true;
  const std::string& first = operand.begin()->first;
  return !first.starts_with('$') ||
         std::find(kQueryOperators.begin(), kQueryOperators.end(), first) != kQueryOperators.end();
}

Result<void> compile_pull(UpdateStep& step, const Ejson& operand) {
  const auto* document = operand.get_if<EjsonDocument>();
  if (document == nullptr && operand.get_if<BsonRegex>() == nullptr) return {};  // equal values
  if (document != nullptr && document->contains("$ref")) return outside_the_subset("$pull of a reference");
  step.pull_wrapped = document == nullptr || !is_query(*document);
  auto filter = Filter::compile(step.pull_wrapped ? EjsonDocument{{"", operand}} : *document);
  if (!filter) return filter.error();
  step.pull_filter = std::move(*filter);
  return {};
}

Result<void> check_operand(UpdateStep& step, const Ejson& operand) {
  switch (step.kind) {
    case Kind::inc:
    case Kind::mul:
      if (!is_number(operand)) return refused("Cannot increment or multiply with non-numeric argument");
      return {};
    case Kind::rename: {
      const auto* target = operand.get_if<std::string>();
      if (target == nullptr || target->empty()) return refused("The 'to' field for $rename must be a string");
      return {};
    }
    case Kind::pop: {
      const auto direction = operand.to_int64();
      if (!direction || (*direction != 1 && *direction != -1)) return refused("$pop expects 1 or -1");
      return {};
    }
    case Kind::current_date: {
      const auto* members = operand.get_if<EjsonDocument>();
      if (members != nullptr && members->size() > 1)
        return refused("Unrecognized $currentDate option beside $type");
      const Ejson* type = operand.find("$type");
      const bool timestamp = type != nullptr && *type == Ejson("timestamp");
      const bool date = (operand.get_if<bool>() != nullptr) || (type != nullptr && *type == Ejson("date"));
      if (!timestamp && !date) return refused("$currentDate needs true or {$type: 'timestamp' | 'date'}");
      step.operand = timestamp ? Ejson(BsonTimestamp{}) : Ejson(true);
      return {};
    }
    case Kind::push:
    case Kind::add_to_set: {
      auto plan = compile_push(operand, step.kind == Kind::push);
      if (!plan) return plan.error();
      step.push = std::move(*plan);
      return {};
    }
    case Kind::pull:
      return compile_pull(step, operand);
    default:
      return {};
  }
}

Result<void> check_path(const std::string& path, const Update::Plan& plan) {
  const Path checked(path);
  int positional = 0;
  for (const std::string& part : checked.parts()) {
    if (part.empty())
      return refused("The update path '" + path + "' contains an empty field name, which is not allowed.");
    if (part == "$" && ++positional > 1)
      return refused("Too many positional (i.e. '$') elements found in path '" + path + "'");
    if (!part.starts_with('$')) continue;
    const auto identifier = array_identifier(part);
    if (part != "$" && !identifier) {
      return refused("The dollar ($) prefixed field '" + part + "' in '" + path +
                     "' is not valid for storage.");
    }
    if (&part == &checked.parts().front())
      return refused("Cannot have a positional element in the first position in path '" + path + "'");
    if (identifier && !identifier->empty() && plan.array_filters.count(*identifier) == 0) {
      return refused("No array filter found for identifier '" + *identifier + "' in path '" + path + "'");
    }
  }
  return {};
}

// Both paths of a $rename name members, never places that a query or a filter chooses.
Result<void> check_rename(const std::string& from, const std::string& to) {
  for (const std::string& path : {from, to}) {
    const Path checked(path);
    for (const std::string& part : checked.parts()) {
      if (part.empty())
        return refused("The update path '" + path + "' contains an empty field name, which is not allowed.");
      if (part.starts_with('$'))
        return refused("The source and target field for $rename must not be dynamic: " + path);
    }
  }
  if (conflict_of(Path(from), Path(to)))
    return refused("The source and target field for $rename must not be on the same path: " + from);
  return {};
}

bool is_identifier(const std::string& text) {
  const auto between = [](char c, char least, char most) { return least <= c && c <= most; };
  return !text.empty() && between(text.front(), 'a', 'z') &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return between(c, 'a', 'z') || between(c, 'A', 'Z') || between(c, '0', '9');
         });
}

Result<std::map<std::string, Filter>> compile_array_filters(const EjsonArray& array_filters) {
  std::map<std::string, Filter> filters;
  for (const Ejson& each : array_filters) {
    const auto* document = each.get_if<EjsonDocument>();
    if (document == nullptr || document->empty())
      return refused("Cannot use an expression without a top-level field name in arrayFilters");
    const std::string identifier = Path(document->begin()->first).parts().front();
    if (identifier.starts_with('$')) return outside_the_subset("a logical operator in arrayFilters");
    if (!is_identifier(identifier)) {
      return refused(
          "The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '" +
          identifier + "'");
    }
    for (const auto& member : *document) {
      if (Path(member.first).parts().front() != identifier)
        return refused("Expected a single top-level field name in an array filter");
    }
    auto filter = Filter::compile(*document);
    if (!filter) return filter.error();
    if (!filters.emplace(identifier, std::move(*filter)).second) {
      return refused("Found multiple array filters with the same top-level field name " + identifier);
    }
  }
  return filters;
}

Result<void> add_steps(Update::Plan& plan, const Operator& op, const EjsonDocument& members,
                       std::vector<std::string>& paths) {
  for (const auto& [path, operand] : members) {
    UpdateStep step;
    step.kind = op.kind;
    step.path = Path(path);
    step.operand = operand;
    const auto path_fault = check_path(path, plan);
    if (!path_fault) return path_fault;
    const auto operand_fault = check_operand(step, operand);
    if (!operand_fault) return operand_fault;
    std::vector<std::string> touched = {path};
    if (op.kind == Kind::rename) {
      touched.push_back(*operand.get_if<std::string>());
      const auto rename_fault = check_rename(path, touched.back());
      if (!rename_fault) return rename_fault;
    }
    for (const std::string& mine : touched) {
      for (const std::string& other : paths) {
        if (const auto at = conflict_of(Path(mine), Path(other)))
          return refused("Updating the path '" + mine + "' would create a conflict at '" + *at + "'");
      }
    }
    paths.insert(paths.end(), touched.begin(), touched.end());
    plan.steps.push_back(std::move(step));
  }
  return {};
}

}  // namespace

Result<Update> Update::compile(const Ejson& update, const EjsonArray& array_filters) {
  if (update.get_if<EjsonArray>() != nullptr)
    return outside_the_subset("an update by an aggregation pipeline");
  const auto* document = update.get_if<EjsonDocument>();
  if (document == nullptr) return refused("the update must be a document");
  auto plan = std::make_shared<Plan>();
  auto filters = compile_array_filters(array_filters);
  if (!filters) return filters.error();
  plan->array_filters = std::move(*filters);
  const bool operators = !document->empty() && document->begin()->first.starts_with('$');
  std::vector<std::string> paths;
  for (const auto& [name, operand] : *document) {
    if (name.starts_with('$') != operators) {
      return operators ? refused("Unknown modifier: " + name)
                       : outside_the_subset("a replacement with the member '" + name + "'");
    }
    if (!operators) continue;
    const auto* op =
        std::find_if(kOperators.begin(), kOperators.end(),
                     [wanted = std::string_view(name)](const Operator& each) { return each.name == wanted; });
    if (op == kOperators.end()) {
      if (name == "$bit" || name == "$pullAll" || name == "$pushAll") return outside_the_subset(name);
      return refused("Unknown modifier: " + name);
    }
    const auto* members = operand.get_if<EjsonDocument>();
    if (members == nullptr)
      return refused("Modifiers operate on fields but we found another type instead, for " + name);
    const auto added = add_steps(*plan, *op, *members, paths);
    if (!added) return added.error();
  }
  if (!operators) {
    if (!array_filters.empty()) return refused("arrayFilters may not be specified for replacement updates");
    plan->replacement = *document;
  }
  for (const auto& [identifier, filter] : plan->array_filters) {
    const std::string wanted = "$[" + identifier + "]";
    const bool is_used = std::any_of(plan->steps.begin(), plan->steps.end(), [&](const UpdateStep& step) {
      const auto& parts = step.path.parts();
      return std::find(parts.begin(), parts.end(), wanted) != parts.end();
    });
    if (!is_used)
      return refused("The array filter for identifier '" + identifier + "' was not used in the update");
  }
  return Update(std::move(plan));
}

}  // namespace keyturn::server::documents

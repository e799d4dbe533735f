// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/filter_node.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

using Node = Filter::Node;

constexpr int kDeepestFilter = 50;

Result<Node> compile_query(const EjsonDocument& query, int depth);

Node leaf(Test test) {
  Node node;
  node.kind = Node::Kind::test;
  node.test = std::make_shared<const Test>(std::move(test));
  return node;
}

Test make(Test::Kind kind, const Path& path, Ejson operand = {}) {
  Test test;
  test.kind = kind;
  test.path = path;
  test.operand = std::move(operand);
  return test;
}

// A whole reference ($ref and $id) is a value although its names look like operators.
bool is_operators(const Ejson& value) {
  const auto* document = value.get_if<EjsonDocument>();
  return document != nullptr && !document->empty() && document->begin()->first.starts_with('$') &&
         !(document->contains("$ref") && document->contains("$id"));
}

bool is_undefined(const Ejson& value) { return value.get_if<BsonUndefined>() != nullptr; }

Result<Test> compile_regex(const Path& path, const Ejson& pattern, std::string_view options) {
  std::string text;
  std::string flags(options);
  if (const auto* regex = pattern.get_if<BsonRegex>()) {
    text = regex->pattern;
    if (!flags.empty() && !regex->options.empty()) return refused("options set in both $regex and $options");
    if (flags.empty()) flags = regex->options;
  } else if (const auto* string = pattern.get_if<std::string>()) {
    text = *string;
  } else {
    return refused("$regex has to be a string");
  }
  auto compiled = Regex::compile(text, flags);
  if (!compiled) return compiled.error();
  Test test = make(Test::Kind::regex, path, BsonRegex{text, flags});
  test.patterns.push_back(std::move(*compiled));
  return test;
}

Result<Test> compile_in(const Path& path, const Ejson& operand, std::string_view name) {
  const auto* values = operand.get_if<EjsonArray>();
  if (values == nullptr) return refused(std::string(name) + " needs an array");
  Test test = make(Test::Kind::in, path);
  for (const Ejson& value : *values) {
    if (is_operators(value)) return refused("cannot nest $ under " + std::string(name));
    if (is_undefined(value)) return refused("cannot compare to undefined");
    if (const auto* regex = value.get_if<BsonRegex>()) {
      auto compiled = Regex::compile(regex->pattern, regex->options);
      if (!compiled) return compiled.error();
      test.patterns.push_back(std::move(*compiled));
    }
    test.operands.push_back(value);
  }
  return test;
}

struct TypeName {
  std::string_view name;
  int number;
};
constexpr std::array kTypeNames = {TypeName{"double", 1}, TypeName{"string", 2}, TypeName{"object", 3},
                                   TypeName{"array", 4}, TypeName{"binData", 5}, TypeName{"undefined", 6},
                                   TypeName{"objectId", 7}, TypeName{"bool", 8}, TypeName{"date", 9},
                                   TypeName{"null", 10}, TypeName{"regex", 11}, TypeName{"int", 16},
                                   TypeName{"timestamp", 17}, TypeName{"long", 18}, TypeName{"decimal", 19},
                                   TypeName{"minKey", -1}, TypeName{"maxKey", 127},
                                   // Those that no document here can hold.
                                   TypeName{"dbPointer", 12}, TypeName{"javascript", 13},
                                   TypeName{"symbol", 14}, TypeName{"javascriptWithScope", 15}};

Result<Test> compile_type(const Path& path, const Ejson& operand) {
  Test test = make(Test::Kind::type, path);
  const EjsonArray one = {operand};
  const auto* several = operand.get_if<EjsonArray>();
  if (several != nullptr && several->empty()) return refused("$type must match at least one type");
  for (const Ejson& each : several == nullptr ? one : *several) {
    if (const auto* name = each.get_if<std::string>()) {
      if (*name == "number") {
        test.types.insert(test.types.end(), {1, 16, 18, 19});
        continue;
      }
      const auto* found = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                       [&](const TypeName& t) { return t.name == *name; });
      if (found == kTypeNames.end()) return refused("Unknown type name alias: " + *name);
      test.types.push_back(found->number);
    } else if (const auto number = each.to_int64()) {
      const auto* found = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                       [&](const TypeName& t) { return t.number == *number; });
      if (found == kTypeNames.end())
        return refused("Invalid numerical type code: " + std::to_string(*number));
      test.types.push_back(found->number);
    } else {
      return refused("type must be represented as a number or a string");
    }
  }
  return test;
}

Result<Node> compile_operators(const Path& path, const EjsonDocument& operators, int depth);

Result<Test> compile_element(const Path& path, const Ejson& operand, int depth) {
  const auto* document = operand.get_if<EjsonDocument>();
  if (document == nullptr) return refused("$elemMatch needs an Object");
  Test test = make(Test::Kind::element, path);
  const bool logical =
      !document->empty() && (document->begin()->first == "$and" || document->begin()->first == "$or" ||
                             document->begin()->first == "$nor");
  auto child = is_operators(operand) && !logical ? compile_operators(Path(""), *document, depth + 1)
                                                 : compile_query(*document, depth + 1);
  if (!child) return child.error();
  if (is_operators(operand) && !logical) {
    // Operators on the element itself, which has no path.
    for (const Node& each : child->children) {
      if (each.kind != Node::Kind::test) return outside_the_subset("$not inside $elemMatch with operators");
      test.tests.push_back(*each.test);
    }
  } else {
    test.child = std::make_shared<const Node>(std::move(*child));
  }
  return test;
}

Result<Test> compile_all(const Path& path, const Ejson& operand, int depth) {
  const auto* values = operand.get_if<EjsonArray>();
  if (values == nullptr) return refused("$all needs an array");
  Test test = make(Test::Kind::all, path);
  const bool of_elements = !values->empty() && values->front().find("$elemMatch") != nullptr;
  for (const Ejson& value : *values) {
    if (is_operators(value) != of_elements) return refused("no $ expressions in $all");
    if (value.get_if<BsonRegex>() != nullptr) {
      auto regex = compile_regex(path, value, "");
      if (!regex) return regex.error();
      test.tests.push_back(std::move(*regex));
    } else if (of_elements) {
      const Ejson* element = value.find("$elemMatch");
      if (element == nullptr || value.get_if<EjsonDocument>()->size() != 1)
        return refused("no $ expressions in $all");
      auto compiled = compile_element(path, *element, depth);
      if (!compiled) return compiled.error();
      test.tests.push_back(std::move(*compiled));
    } else {
      test.tests.push_back(make(Test::Kind::eq, path, value));
    }
  }
  return test;
}

Result<Test> compile_size(const Path& path, const Ejson& operand) {
  const auto size = operand.to_int64();
  if (!size || *size < 0) return refused("$size must be a non-negative integer");
  return make(Test::Kind::size, path, operand);
}

Result<Node> compile_not(const Path& path, const Ejson& operand, int depth) {
  Result<Node> inner = [&]() -> Result<Node> {
    if (operand.get_if<BsonRegex>() != nullptr) {
      auto regex = compile_regex(path, operand, "");
      if (!regex) return regex.error();
      return leaf(std::move(*regex));
    }
    if (!is_operators(operand)) return refused("$not needs a regex or a document");
    return compile_operators(path, *operand.get_if<EjsonDocument>(), depth + 1);
  }();
  if (!inner) return inner;
  Node node;
  node.kind = Node::Kind::neither;
  node.children.push_back(std::move(*inner));
  return node;
}

std::optional<Test::Kind> comparison(std::string_view name) {
  if (name == "$gt") return Test::Kind::gt;
  if (name == "$gte") return Test::Kind::gte;
  if (name == "$lt") return Test::Kind::lt;
  if (name == "$lte") return Test::Kind::lte;
  return std::nullopt;
}

// One operator with its operand; the siblings are there for the one that has two parts.
Result<Node> compile_operator(const Path& path, const std::string& name, const Ejson& operand,
                              const EjsonDocument& siblings, int depth) {
  static constexpr std::array kKnownElsewhere = {
      "$mod",           "$expr",         "$where",      "$text",       "$geoWithin",
      "$geoIntersects", "$near",         "$nearSphere", "$bitsAllSet", "$bitsAnySet",
      "$bitsAllClear",  "$bitsAnyClear", "$jsonSchema"};
  Result<Test> test = [&]() -> Result<Test> {
    const auto range = comparison(name);
    if ((range || name == "$eq" || name == "$ne") && is_undefined(operand))
      return refused("cannot compare to undefined");
    if (range && operand.get_if<BsonRegex>() != nullptr)
      return refused("Can't have RegEx as arg to predicate over field '" + dotted(path) + "'.");
    if (name == "$eq" || name == "$ne") {
      // Unlike {a: /x/}, this looks for the stored regular expression itself.
      if (name == "$ne" && operand.get_if<BsonRegex>() != nullptr)
        return refused("Can't have regex as arg to $ne.");
      return make(Test::Kind::eq, path, operand);
    }
    if (range) return make(*range, path, operand);
    if (name == "$in" || name == "$nin") return compile_in(path, operand, name);
    if (name == "$regex") {
      const Ejson* options = siblings.find("$options");
      const std::string* text = options == nullptr ? nullptr : options->get_if<std::string>();
      if (options != nullptr && text == nullptr) return refused("$options has to be a string");
      return compile_regex(path, operand, text == nullptr ? "" : *text);
    }
    if (name == "$exists") return make(Test::Kind::exists, path);
    if (name == "$type") return compile_type(path, operand);
    if (name == "$size") return compile_size(path, operand);
    if (name == "$elemMatch") return compile_element(path, operand, depth);
    if (name == "$all") return compile_all(path, operand, depth);
    if (std::find(kKnownElsewhere.begin(), kKnownElsewhere.end(), name) != kKnownElsewhere.end())
      return outside_the_subset(name);
    return refused("unknown operator: " + name);
  }();
  if (!test) return test.error();
  if (name == "$ne" || name == "$nin") test->negated = true;
  if (name == "$exists") {
    const auto number = operand.to_double();
    const bool wanted = operand.get_if<bool>() != nullptr ? *operand.get_if<bool>()
                                                          : (!operand.is_null() && (!number || *number != 0));
    test->negated = !wanted;
  }
  return leaf(std::move(*test));
}

Result<Node> compile_operators(const Path& path, const EjsonDocument& operators, int depth) {
  if (depth > kDeepestFilter) return refused("the query is nested too deeply");
  Node all;
  for (const auto& [name, operand] : operators) {
    if (name == "$options") {
      if (!operators.contains("$regex")) return refused("$options needs a $regex");
      continue;
    }
    auto node = name == "$not" ? compile_not(path, operand, depth)
                               : compile_operator(path, name, operand, operators, depth);
    if (!node) return node;
    all.children.push_back(std::move(*node));
  }
  return all;
}

Result<Node> compile_logical(const std::string& name, const Ejson& operand, int depth) {
  const auto* clauses = operand.get_if<EjsonArray>();
  if (clauses == nullptr || clauses->empty()) return refused(name + " must be a nonempty array");
  Node node;
  node.kind = name == "$and" ? Node::Kind::both : (name == "$or" ? Node::Kind::either : Node::Kind::neither);
  for (const Ejson& clause : *clauses) {
    const auto* query = clause.get_if<EjsonDocument>();
    if (query == nullptr) return refused("$or/$and/$nor entries need to be full objects");
    auto child = compile_query(*query, depth + 1);
    if (!child) return child;
    node.children.push_back(std::move(*child));
  }
  return node;
}

Result<Node> compile_member(const std::string& name, const Ejson& value, int depth) {
  if (name == "$and" || name == "$or" || name == "$nor") return compile_logical(name, value, depth);
  if (name == "$comment") return Node{};
  if (name == "$expr" || name == "$where" || name == "$text" || name == "$jsonSchema")
    return outside_the_subset(name);
  if (name.starts_with('$')) return refused("unknown top level operator: " + name + ".");
  const Path path(name);
  if (is_operators(value)) return compile_operators(path, *value.get_if<EjsonDocument>(), depth);
  if (value.get_if<BsonRegex>() != nullptr) {
    auto regex = compile_regex(path, value, "");
    if (!regex) return regex.error();
    return leaf(std::move(*regex));
  }
  if (is_undefined(value)) return refused("cannot compare to undefined");
  return leaf(make(Test::Kind::eq, path, value));
}

Result<Node> compile_query(const EjsonDocument& query, int depth) {
  if (depth > kDeepestFilter) return refused("the query is nested too deeply");
  Node all;
  for (const auto& [name, value] : query) {
    auto node = compile_member(name, value, depth);
    if (!node) return node;
    all.children.push_back(std::move(*node));
  }
  return all;
}

// What every match must equal.
void gather(const Test& test, Node& root) {
  if (test.negated) return;
  const std::string path = dotted(test.path);
  if (test.kind == Test::Kind::all) {
    for (const Test& each : test.tests) gather(each, root);
  } else if (test.kind == Test::Kind::eq) {
    root.equalities.emplace_back(path, test.operand);
    root.candidates.emplace_back(path, EjsonArray{test.operand});
  } else if (test.kind == Test::Kind::in && test.patterns.empty()) {
    if (test.operands.size() == 1) root.equalities.emplace_back(path, test.operands.front());
    root.candidates.emplace_back(path, test.operands);
  }
}

void gather(const Node& node, Node& root) {
  if (node.kind == Node::Kind::test) gather(*node.test, root);
  const bool holds_for_each =
      node.kind == Node::Kind::both || (node.kind == Node::Kind::either && node.children.size() == 1);
  if (!holds_for_each) return;
  for (const Node& child : node.children) gather(child, root);
}

}  // namespace

Result<Filter> Filter::compile(const EjsonDocument& query) {
  auto root = compile_query(query, 0);
  if (!root) return root.error();
  Node compiled = *root;
  gather(*root, compiled);
  return Filter(std::make_shared<const Node>(std::move(compiled)));
}

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "server/domain/documents/arithmetic.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {

struct Expression::Node {
  enum class Kind { literal, field, root, document, array, call };
  Kind kind = Kind::literal;
  Ejson literal;
  Path path{""};
  std::string name;                ///< Of the operator.
  std::vector<std::string> names;  ///< Of the members of a document, whose values are the arguments.
  std::vector<Node> arguments;
};

namespace {

using Term = Expression::Node;
using Value = std::optional<Ejson>;
using Evaluated = Result<Value>;

constexpr int kDeepestExpression = 50;

struct Arity {
  std::string_view name;
  std::size_t least;
  std::size_t most;
};
constexpr std::size_t kMany = 1'000;
constexpr std::array kExpressionOperators = {
    Arity{"$add", 0, kMany}, Arity{"$subtract", 2, 2},   Arity{"$multiply", 0, kMany},
    Arity{"$divide", 2, 2},  Arity{"$concat", 0, kMany}, Arity{"$toLower", 1, 1},
    Arity{"$toUpper", 1, 1}, Arity{"$ifNull", 2, kMany}, Arity{"$cond", 3, 3},
    Arity{"$eq", 2, 2},      Arity{"$ne", 2, 2},         Arity{"$gt", 2, 2},
    Arity{"$gte", 2, 2},     Arity{"$lt", 2, 2},         Arity{"$lte", 2, 2},
    Arity{"$and", 0, kMany}, Arity{"$or", 0, kMany},     Arity{"$not", 1, 1},
    Arity{"$size", 1, 1},    Arity{"$arrayElemAt", 2, 2}};

Result<Term> compile_node(const Ejson& specification, int depth);

Result<Term> compile_call(const std::string& name, const Ejson& operand, int depth) {
  Term node;
  if (name == "$literal") {
    node.literal = operand;
    return node;
  }
  const auto* op = std::find_if(kExpressionOperators.begin(), kExpressionOperators.end(),
                                [&](const Arity& each) { return each.name == name; });
  if (op == kExpressionOperators.end()) return outside_the_subset("the expression " + name);
  node.kind = Term::Kind::call;
  node.name = name;
  EjsonArray arguments = {operand};
  if (const auto* list = operand.get_if<EjsonArray>()) arguments = *list;
  if (name == "$cond" && operand.get_if<EjsonDocument>() != nullptr) {
    const Ejson* parts[] = {operand.find("if"), operand.find("then"), operand.find("else")};
    arguments.clear();
    if (operand.get_if<EjsonDocument>()->size() > 3) return refused("Unrecognized parameter to $cond");
    for (const Ejson* part : parts) {
      if (part == nullptr) return refused("Missing 'if', 'then' or 'else' parameter to $cond");
      arguments.push_back(*part);
    }
  }
  if (arguments.size() < op->least || arguments.size() > op->most)
    return refused("Expression " + name + " takes another number of arguments");
  for (const Ejson& argument : arguments) {
    auto compiled = compile_node(argument, depth + 1);
    if (!compiled) return compiled;
    node.arguments.push_back(std::move(*compiled));
  }
  return node;
}

Result<Term> compile_text(const std::string& text) {
  Term node;
  if (text == "$$ROOT" || text == "$$CURRENT") {
    node.kind = Term::Kind::root;
  } else if (text.starts_with("$$ROOT.")) {
    node.kind = Term::Kind::field;
    node.path = Path(text.substr(7));
  } else if (text.starts_with("$$")) {
    return outside_the_subset("the variable " + text);
  } else if (text.starts_with('$')) {
    node.kind = Term::Kind::field;
    node.path = Path(text.substr(1));
    for (const std::string& part : node.path.parts()) {
      if (part.empty()) return refused("'" + text + "' by itself is not a valid FieldPath");
    }
  } else {
    node.literal = text;
  }
  return node;
}

Result<Term> compile_node(const Ejson& specification, int depth) {
  if (depth > kDeepestExpression) return refused("the expression is nested too deeply");
  if (const auto* text = specification.get_if<std::string>()) return compile_text(*text);
  Term node;
  if (const auto* document = specification.get_if<EjsonDocument>()) {
    if (document->size() == 1 && document->begin()->first.starts_with('$'))
      return compile_call(document->begin()->first, document->begin()->second, depth);
    node.kind = Term::Kind::document;
    for (const auto& [name, value] : *document) {
      if (name.starts_with('$'))
        return refused("an object representing an expression must have exactly one field");
      if (name.empty() || name.find('.') != std::string::npos)
        return refused("FieldPath field names may not be empty or contain '.': '" + name + "'");
      auto member = compile_node(value, depth + 1);
      if (!member) return member;
      node.names.push_back(name);
      node.arguments.push_back(std::move(*member));
    }
    return node;
  }
  if (const auto* array = specification.get_if<EjsonArray>()) {
    node.kind = Term::Kind::array;
    for (const Ejson& value : *array) {
      auto element = compile_node(value, depth + 1);
      if (!element) return element;
      node.arguments.push_back(std::move(*element));
    }
    return node;
  }
  node.literal = specification;
  return node;
}

// A field path collects through arrays, as MongoDB's expressions do, and knows no element numbers.
Value field(const Ejson& value, const std::vector<std::string>& parts, std::size_t depth) {
  if (depth == parts.size()) return value;
  if (const auto* document = value.get_if<EjsonDocument>()) {
    const Ejson* member = document->find(parts[depth]);
    return member == nullptr ? Value() : field(*member, parts, depth + 1);
  }
  const auto* array = value.get_if<EjsonArray>();
  if (array == nullptr) return std::nullopt;
  EjsonArray collected;
  for (const Ejson& element : *array) {
    if (element.get_if<EjsonDocument>() == nullptr) continue;
    if (auto found = field(element, parts, depth)) collected.push_back(std::move(*found));
  }
  return Ejson(std::move(collected));
}

bool nullish(const Value& value) {
  return !value || value->is_null() || value->get_if<BsonUndefined>() != nullptr;
}

bool truthy(const Value& value) {
  if (nullish(value)) return false;
  if (const auto* flag = value->get_if<bool>()) return *flag;
  const auto number = value->to_double();
  return !number || *number != 0;
}

Evaluated text(const std::string& name, const std::vector<Value>& values) {
  std::string result;
  for (const Value& value : values) {
    if (nullish(value)) return name == "$concat" ? Value(Ejson()) : Value(Ejson(""));
    const auto* part = value->get_if<std::string>();
    const bool converts = part == nullptr && name != "$concat";
    if (converts) return outside_the_subset(name + " of what is no string");
    if (part == nullptr) return refused(name + " only supports strings");
    result += *part;
  }
  if (name == "$concat") return Value(Ejson(std::move(result)));
  for (char& c : result) {  // ASCII only, as MongoDB documents
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 128) c = static_cast<char>(name == "$toLower" ? std::tolower(byte) : std::toupper(byte));
  }
  return Value(Ejson(std::move(result)));
}

Evaluated element_at(const std::vector<Value>& values) {
  if (nullish(values[0]) || nullish(values[1])) return Value(Ejson());
  const auto* array = values[0]->get_if<EjsonArray>();
  const auto index = values[1]->to_int64();
  if (array == nullptr || !index)
    return refused("$arrayElemAt's first argument must be an array, its second an integer");
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t at = *index < 0 ? size + *index : *index;
  return at < 0 || at >= size ? Value() : Value((*array)[static_cast<std::size_t>(at)]);
}

// A missing value comes behind MinKey and before every other, null included; it is the same as undefined.
std::weak_ordering compare_missing(const Value& other) {
  if (!other || other->get_if<BsonUndefined>() != nullptr) return std::weak_ordering::equivalent;
  return other->get_if<BsonMinKey>() != nullptr ? std::weak_ordering::greater : std::weak_ordering::less;
}

std::weak_ordering compare_values(const Value& a, const Value& b) {
  if (!a) return compare_missing(b);
  return b ? compare(*a, *b) : 0 <=> compare_missing(a);
}

Evaluated evaluate_comparison(const std::string& name, const std::vector<Value>& values) {
  const auto order = compare_values(values[0], values[1]);
  if (name == "$eq") return Value(Ejson(order == 0));
  if (name == "$ne") return Value(Ejson(order != 0));
  if (name == "$gt") return Value(Ejson(order > 0));
  if (name == "$gte") return Value(Ejson(order >= 0));
  return Value(Ejson(name == "$lt" ? order < 0 : order <= 0));
}

Evaluated evaluate_node(const Term& node, const EjsonDocument& root);

// Operators that ask for no more arguments than they need: what is not chosen cannot fail.
Evaluated choose(const Term& node, const EjsonDocument& root) {
  if (node.name == "$cond") {
    auto condition = evaluate_node(node.arguments[0], root);
    if (!condition) return condition;
    return evaluate_node(node.arguments[truthy(*condition) ? 1 : 2], root);
  }
  for (const Term& argument : node.arguments) {
    auto value = evaluate_node(argument, root);
    if (!value) return value;
    if (node.name == "$ifNull") {
      if (!nullish(*value) || &argument == &node.arguments.back()) return value;
    } else if (truthy(*value) == (node.name == "$or")) {
      return Value(Ejson(node.name == "$or"));
    }
  }
  return Value(Ejson(node.name == "$and"));
}

Evaluated call(const Term& node, const EjsonDocument& root) {
  if (node.name == "$cond" || node.name == "$ifNull" || node.name == "$and" || node.name == "$or")
    return choose(node, root);
  std::vector<Value> values;
  for (const Term& argument : node.arguments) {
    auto value = evaluate_node(argument, root);
    if (!value) return value;
    values.push_back(std::move(*value));
  }
  const std::string& name = node.name;
  if (name == "$add" || name == "$subtract" || name == "$multiply" || name == "$divide")
    return evaluate_arithmetic(name, values);
  if (name == "$concat" || name == "$toLower" || name == "$toUpper") return text(name, values);
  if (name == "$not") return Value(Ejson(!truthy(values[0])));
  if (name == "$arrayElemAt") return element_at(values);
  if (name == "$size") {
    const auto* array = values[0] ? values[0]->get_if<EjsonArray>() : nullptr;
    if (array == nullptr) return refused("The argument to $size must be an array");
    return Value(Ejson(static_cast<std::int32_t>(array->size())));
  }
  return evaluate_comparison(name, values);
}

Evaluated evaluate_node(const Term& node, const EjsonDocument& root) {
  switch (node.kind) {
    case Term::Kind::literal:
      return Value(node.literal);
    case Term::Kind::root:
      return Value(Ejson(root));
    case Term::Kind::field: {
      const Ejson* first = root.find(node.path.parts().front());
      return first == nullptr ? Value() : field(*first, node.path.parts(), 1);
    }
    case Term::Kind::document: {
      EjsonDocument document;
      for (std::size_t i = 0; i < node.names.size(); ++i) {
        auto value = evaluate_node(node.arguments[i], root);
        if (!value) return value;
        if (*value) document.set(node.names[i], std::move(**value));
      }
      return Value(Ejson(std::move(document)));
    }
    case Term::Kind::array: {
      EjsonArray array;
      for (const Term& element : node.arguments) {
        auto value = evaluate_node(element, root);
        if (!value) return value;
        array.push_back(*value ? std::move(**value) : Ejson());
      }
      return Value(Ejson(std::move(array)));
    }
    case Term::Kind::call:
      return call(node, root);
  }
  return Value();
}

}  // namespace

Expression::Expression(std::shared_ptr<const Term> node) : node_(std::move(node)) {}

Result<Expression> Expression::compile(const Ejson& specification) {
  auto node = compile_node(specification, 0);
  if (!node) return node.error();
  return Expression(std::make_shared<const Term>(std::move(*node)));
}

Result<std::optional<Ejson>> Expression::evaluate(const EjsonDocument& root) const {
  return evaluate_node(*node_, root);
}

}  // namespace keyturn::server::documents

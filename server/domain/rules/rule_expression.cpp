// SPDX-License-Identifier: Apache-2.0
#include "server/domain/rules/rule_expression.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"

namespace keyturn::server::data {
namespace {

constexpr int kMostDepth = 20;

Error unknown(std::string_view what) {
  return Error(ErrorCode::NoMatchingRuleFound,
               "a rule uses " + std::string(what) + ", which is not supported, so it lets nobody in");
}
Error unknown_condition(const std::string& name) {
  return unknown("'" + name + "' as a condition (a field of the document is %%root." + name + ")");
}

bool is_name(std::string_view text) { return text.substr(0, 2) == "%%"; }

/// The operator that a member's name is, without its sign; empty when it is none.
std::string_view operator_of(std::string_view name) {
  if (name.size() < 2 || is_name(name) || (name[0] != '%' && name[0] != '$')) return {};
  return name.substr(1);
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

constexpr std::array<std::string_view, 2> kConversions{"stringToOid", "oidToString"};
constexpr std::array<std::string_view, 10> kTests{"eq",  "ne", "gt",  "gte",    "lt",
                                                  "lte", "in", "nin", "exists", "not"};

/// "user" of "%%user.id".
std::string_view head_of(std::string_view name) { return name.substr(2, name.find('.') - 2); }

bool is_known(std::string_view name, RuleTopic topic) {
  static constexpr std::array<std::string_view, 5> kCommon{"user", "values", "environment", "true", "false"};
  static constexpr std::array<std::string_view, 4> kOfDocument{"root", "prevRoot", "this", "prev"};
  const std::string_view head = head_of(name);
  if (is_one_of(head, kCommon)) return true;
  return topic == RuleTopic::call ? head == "request" : is_one_of(head, kOfDocument);
}

/// A document of exactly one conversion: its operator and operand.
const EjsonDocument::Member* conversion_of(const Ejson& value) {
  const auto* members = value.get_if<EjsonDocument>();
  if (members == nullptr || members->size() != 1) return nullptr;
  return is_one_of(operator_of(members->begin()->first), kConversions) ? &*members->begin() : nullptr;
}

bool has_operators(const Ejson& value) {
  const auto* members = value.get_if<EjsonDocument>();
  return members != nullptr && std::any_of(members->begin(), members->end(), [](const auto& member) {
           return !operator_of(member.first).empty();
         });
}

struct Names {
  RuleTopic topic = RuleTopic::document;
  bool document = false;
  bool previous = false;
  void add(std::string_view name) {
    const std::string_view head = head_of(name);
    previous = previous || head == "prevRoot" || head == "prev";
    document = document || previous || head == "root" || head == "this";
  }
};

Result<void> check_value(const Ejson& value, Names& names, int depth) {
  if (depth > kMostDepth) return unknown("too deep nesting");
  if (const auto* text = value.get_if<std::string>(); text != nullptr && is_name(*text)) {
    if (!is_known(*text, names.topic)) return unknown(*text);
    names.add(*text);
    return {};
  }
  if (const auto* conversion = conversion_of(value)) return check_value(conversion->second, names, depth + 1);
  if (const auto* list = value.get_if<EjsonArray>()) {
    for (const Ejson& each : *list) {
      if (auto checked = check_value(each, names, depth + 1); !checked) return checked;
    }
  }
  if (const auto* members = value.get_if<EjsonDocument>()) {
    for (const auto& [name, each] : *members) {
      if (is_name(name) || !operator_of(name).empty()) return unknown(name);
      if (auto checked = check_value(each, names, depth + 1); !checked) return checked;
    }
  }
  return {};
}

Result<void> check_test(const Ejson& operand, Names& names, int depth) {
  if (depth > kMostDepth) return unknown("too deep nesting");
  if (conversion_of(operand) != nullptr || !has_operators(operand)) return check_value(operand, names, depth);
  for (const auto& [name, value] : *operand.get_if<EjsonDocument>()) {
    const std::string_view test = operator_of(name);
    if (!is_one_of(test, kTests)) return unknown(name);
    if (test == "exists" && value.get_if<bool>() == nullptr) return unknown(name + " without true or false");
    auto checked = test == "not" ? check_test(value, names, depth + 1) : check_value(value, names, depth + 1);
    if (!checked) return checked;
  }
  return {};
}

Result<void> check(const Ejson& text, Names& names, int depth) {
  if (depth > kMostDepth) return unknown("too deep nesting");
  if (text.get_if<bool>() != nullptr || text.is_null()) return {};
  if (const auto* word = text.get_if<std::string>()) {
    if (*word == "%%true" || *word == "%%false") return {};
    return unknown("a text as a condition");
  }
  const auto* members = text.get_if<EjsonDocument>();
  if (members == nullptr) return unknown("a condition that is no document");
  for (const auto& [name, operand] : *members) {
    Result<void> checked;
    const std::string_view joint = operator_of(name);
    if (is_name(name)) {
      if (!is_known(name, names.topic)) return unknown(name);
      names.add(name);
      checked = check_test(operand, names, depth + 1);
    } else if (joint == "not") {
      checked = check(operand, names, depth + 1);
    } else if (joint == "and" || joint == "or" || joint == "nor") {
      const auto* branches = operand.get_if<EjsonArray>();
      if (branches == nullptr) return unknown(name + " without a list");
      for (const Ejson& each : *branches) {
        checked = check(each, names, depth + 1);
        if (!checked) break;
      }
    } else {
      return unknown_condition(name);
    }
    if (!checked) return checked;
  }
  return {};
}

std::optional<Ejson> at(const Ejson* value, std::string_view path) {
  while (value != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    value = value->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return value == nullptr ? std::nullopt : std::optional<Ejson>(*value);
}

std::optional<Ejson> at(const EjsonDocument* document, std::string_view path) {
  if (document == nullptr) return std::nullopt;
  if (path.empty()) return Ejson(*document);
  const Ejson* found = documents::find_plain(*document, documents::Path(path));
  return found == nullptr ? std::nullopt : std::optional<Ejson>(*found);
}

std::optional<Ejson> named(std::string_view name, const RuleFacts& facts) {
  const std::string_view head = head_of(name);
  const std::size_t dot = name.find('.');
  const std::string_view path = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  if (head == "true") return Ejson(true);
  if (head == "false") return Ejson(false);
  if (head == "user") return at(facts.user, path);
  if (head == "values") return at(facts.values, path);
  if (head == "environment") return at(facts.environment, path);
  if (head == "request") return at(facts.request, path);
  if (head == "root") return at(facts.root, path);
  if (head == "prevRoot") return at(facts.previous, path);
  if (head == "this") return at(facts.this_value, path);
  if (head == "prev") return at(facts.previous_value, path);
  return std::nullopt;
}

std::optional<Ejson> converted(std::string_view conversion, const std::optional<Ejson>& value) {
  if (!value) return std::nullopt;
  if (conversion == "oidToString") {
    const auto* id = value->get_if<ObjectId>();
    return id == nullptr ? std::nullopt : std::optional<Ejson>(id->to_hex());
  }
  const auto* text = value->get_if<std::string>();
  const auto id = text == nullptr ? std::nullopt : ObjectId::from_hex(*text);
  return id ? std::optional<Ejson>(*id) : std::nullopt;
}

bool are_equal(const std::optional<Ejson>& value, const std::optional<Ejson>& operand) {
  if (!operand) return false;
  return value ? documents::equal(*value, *operand) : operand->is_null();
}

bool is_among(const std::optional<Ejson>& value, const std::optional<Ejson>& operand) {
  const auto* list = operand ? operand->get_if<EjsonArray>() : nullptr;
  return list != nullptr && value && std::any_of(list->begin(), list->end(), [&](const Ejson& each) {
           return documents::equal(*value, each);
         });
}

bool passes(const std::optional<Ejson>& value, const Ejson& operand, const RuleFacts& facts);

bool passes_one(std::string_view test, const std::optional<Ejson>& value, const Ejson& operand,
                const RuleFacts& facts) {
  if (test == "exists") return *operand.get_if<bool>() == value.has_value();
  if (test == "not") return !passes(value, operand, facts);
  const std::optional<Ejson> other = rule_value(operand, facts);
  if (test == "eq") return are_equal(value, other);
  if (test == "ne") return !are_equal(value, other);
  if (test == "in") return is_among(value, other);
  if (test == "nin") return !is_among(value, other);
  if (!value || !other || documents::type_bracket(*value) != documents::type_bracket(*other)) return false;
  const auto order = documents::compare(*value, *other);
  if (test == "gt") return order > 0;
  if (test == "gte") return order >= 0;
  if (test == "lt") return order < 0;
  return order <= 0;
}

bool passes(const std::optional<Ejson>& value, const Ejson& operand, const RuleFacts& facts) {
  if (conversion_of(operand) != nullptr || !has_operators(operand)) {
    return are_equal(value, rule_value(operand, facts));
  }
  const auto& tests = *operand.get_if<EjsonDocument>();
  return std::all_of(tests.begin(), tests.end(), [&](const auto& each) {
    return passes_one(operator_of(each.first), value, each.second, facts);
  });
}

bool condition_holds(const Ejson& text, const RuleFacts& facts) {
  if (text.is_null()) return true;
  if (const auto* constant = text.get_if<bool>()) return *constant;
  if (const auto* word = text.get_if<std::string>()) return *word == "%%true";
  const auto& members = *text.get_if<EjsonDocument>();
  return std::all_of(members.begin(), members.end(), [&](const auto& member) {
    const auto& [name, operand] = member;
    if (is_name(name)) return passes(named(name, facts), operand, facts);
    const std::string_view joint = operator_of(name);
    if (joint == "not") return !condition_holds(operand, facts);
    const auto& branches = *operand.template get_if<EjsonArray>();
    const auto holds = [&](const Ejson& each) { return condition_holds(each, facts); };
    if (joint == "and") return std::all_of(branches.begin(), branches.end(), holds);
    const bool any = std::any_of(branches.begin(), branches.end(), holds);
    return joint == "or" ? any : !any;
  });
}

/// A value of a query with its names replaced; nothing when one of them stands for nothing.
Result<std::optional<Ejson>> query_value(const Ejson& value, const RuleFacts& facts, int depth);

Result<std::optional<Ejson>> query_list(const EjsonArray& list, const RuleFacts& facts, int depth) {
  EjsonArray out;
  for (const Ejson& each : list) {
    auto made = query_value(each, facts, depth + 1);
    if (!made) return made;
    if (!*made) return made;
    out.push_back(std::move(**made));
  }
  return std::optional<Ejson>(std::move(out));
}

Result<std::optional<Ejson>> query_value(const Ejson& value, const RuleFacts& facts, int depth) {
  if (depth > kMostDepth) return unknown("too deep nesting");
  if (const auto* text = value.get_if<std::string>(); text != nullptr && is_name(*text)) {
    Names names;
    if (auto checked = check_value(value, names, depth); !checked) return checked.error();
    if (names.document) return unknown(*text + " in a document filter");
    return rule_value(value, facts);
  }
  if (conversion_of(value) != nullptr) {
    Names names;
    if (auto checked = check_value(value, names, depth); !checked) return checked.error();
    if (names.document) return unknown("the document in a document filter");
    return rule_value(value, facts);
  }
  if (const auto* list = value.get_if<EjsonArray>()) return query_list(*list, facts, depth);
  const auto* members = value.get_if<EjsonDocument>();
  if (members == nullptr) return std::optional<Ejson>(value);
  EjsonDocument out;
  for (const auto& [name, each] : *members) {
    if (is_name(name)) return unknown(name);
    auto made = query_value(each, facts, depth + 1);
    if (!made) return made;
    if (!*made) return made;
    const std::string_view op = operator_of(name);
    out.set(op.empty() ? name : "$" + std::string(op), std::move(**made));
  }
  return std::optional<Ejson>(std::move(out));
}

Result<EjsonDocument> query(const Ejson& text, const RuleFacts& facts, int depth) {
  if (depth > kMostDepth) return unknown("too deep nesting");
  if (text.is_null()) return EjsonDocument();
  if (const auto* constant = text.get_if<bool>()) return *constant ? EjsonDocument() : nothing();
  const auto* members = text.get_if<EjsonDocument>();
  if (members == nullptr) return unknown("a document filter that is no document");
  EjsonArray parts;
  for (const auto& [name, operand] : *members) {
    const std::string_view joint = operator_of(name);
    if (is_name(name) && head_of(name) != "root") {  // true or false for every document alike
      auto condition = RuleExpression::compile(EjsonDocument{{name, operand}});
      if (!condition) return condition.error();
      if (condition->is_about_document()) return unknown("the document in a document filter");
      if (!condition->holds(facts)) return nothing();
    } else if (joint == "and" || joint == "or" || joint == "nor") {
      const auto* branches = operand.get_if<EjsonArray>();
      if (branches == nullptr || branches->empty()) return unknown(name + " without a list");
      EjsonArray made;
      for (const Ejson& each : *branches) {
        auto branch = query(each, facts, depth + 1);
        if (!branch) return branch;
        const bool is_empty = *branch == nothing();
        // What names nothing must not turn into everything by being negated.
        if (is_empty && joint != "or") return nothing();
        if (!is_empty) made.emplace_back(std::move(*branch));
      }
      if (made.empty()) return nothing();
      parts.emplace_back(EjsonDocument{{"$" + std::string(joint), std::move(made)}});
    } else if (joint == "not") {
      auto branch = query(operand, facts, depth + 1);
      if (!branch) return branch;
      if (*branch == nothing()) return nothing();
      parts.emplace_back(EjsonDocument{{"$nor", EjsonArray{std::move(*branch)}}});
    } else if (!joint.empty()) {
      return unknown(name);
    } else {
      auto value = query_value(operand, facts, depth + 1);
      if (!value) return value.error();
      if (!*value) return nothing();
      constexpr std::string_view kRoot = "%%root.";
      const bool is_root = name.substr(0, kRoot.size()) == kRoot;
      if (is_name(name) && !is_root) return unknown(name);
      parts.emplace_back(EjsonDocument{{is_root ? name.substr(kRoot.size()) : name, std::move(**value)}});
    }
  }
  if (parts.empty()) return EjsonDocument();
  if (parts.size() == 1) return std::move(*parts.front().get_if<EjsonDocument>());
  return EjsonDocument{{"$and", std::move(parts)}};
}

}  // namespace

EjsonDocument nothing() { return {{"_id", EjsonDocument{{"$in", EjsonArray()}}}}; }

std::optional<Ejson> rule_value(const Ejson& operand, const RuleFacts& facts) {
  if (const auto* text = operand.get_if<std::string>(); text != nullptr && is_name(*text)) {
    return named(*text, facts);
  }
  if (const auto* conversion = conversion_of(operand)) {
    return converted(operator_of(conversion->first), rule_value(conversion->second, facts));
  }
  if (const auto* list = operand.get_if<EjsonArray>()) {
    EjsonArray out;
    for (const Ejson& each : *list) {
      if (auto value = rule_value(each, facts)) out.push_back(std::move(*value));
    }
    return Ejson(std::move(out));
  }
  return operand;
}

Result<RuleExpression> RuleExpression::compile(const Ejson& text, RuleTopic topic) {
  Names names;
  names.topic = topic;
  if (auto checked = check(text, names, 0); !checked) return checked.error();
  RuleExpression expression(text);
  expression.is_about_document_ = names.document;
  expression.names_previous_ = names.previous;
  return expression;
}

bool RuleExpression::holds(const RuleFacts& facts) const { return condition_holds(text_, facts); }

Result<EjsonDocument> rule_query(const Ejson& text, const RuleFacts& facts) { return query(text, facts, 0); }

}  // namespace keyturn::server::data

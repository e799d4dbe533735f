// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/filter.hpp"

#include <algorithm>
#include <array>

#include "server/domain/documents/filter_node.hpp"
#include "server/domain/documents/order.hpp"

namespace keyturn::server::documents {
namespace {

using Index = std::optional<std::size_t>;

bool compares(const Ejson& value, const Ejson& operand, Test::Kind kind) {
  if (type_bracket(value) != type_bracket(operand)) {
    // Only the two keys compare with values of every type.
    const bool is_above = kind == Test::Kind::gt || kind == Test::Kind::gte;
    return is_above ? operand.get_if<BsonMinKey>() != nullptr : operand.get_if<BsonMaxKey>() != nullptr;
  }
  const auto nan = [](const Ejson& v) { return v.to_double() && *v.to_double() != *v.to_double(); };
  if (is_number(value) && (nan(value) || nan(operand))) {
    return nan(value) && nan(operand) && (kind == Test::Kind::gte || kind == Test::Kind::lte);
  }
  const auto order = compare(value, operand);
  switch (kind) {
    case Test::Kind::gt:
      return order > 0;
    case Test::Kind::gte:
      return order >= 0;
    case Test::Kind::lt:
      return order < 0;
    default:
      return order <= 0;
  }
}

// What a test says of one value; `value` is null where the path ends in nothing.
bool holds_for(const Test& test, const Ejson* value) {
  static const Ejson kNull;
  const Ejson& present = value == nullptr ? kNull : *value;
  switch (test.kind) {
    case Test::Kind::eq:
      return equal(present, test.operand);
    case Test::Kind::gt:
    case Test::Kind::gte:
    case Test::Kind::lt:
    case Test::Kind::lte:
      return compares(present, test.operand, test.kind);
    case Test::Kind::in:
      return std::any_of(test.operands.begin(), test.operands.end(),
                         [&](const Ejson& each) { return equal(present, each); }) ||
             std::any_of(test.patterns.begin(), test.patterns.end(), [&](const Regex& each) {
               const auto* text = present.get_if<std::string>();
               return text != nullptr && each.matches(*text);
             });
    case Test::Kind::regex: {
      if (const auto* text = present.get_if<std::string>()) return test.patterns.front().matches(*text);
      return equal(present, test.operand);  // a stored regular expression equals itself
    }
    case Test::Kind::exists:
      return value != nullptr;
    case Test::Kind::type:
      return value != nullptr &&
             std::find(test.types.begin(), test.types.end(), bson_type(*value)) != test.types.end();
    case Test::Kind::size: {
      const auto* array = present.get_if<EjsonArray>();
      return array != nullptr && static_cast<std::int64_t>(array->size()) == *test.operand.to_int64();
    }
    case Test::Kind::element:
    case Test::Kind::all:
      return false;  // judged on the whole array, below
  }
  return false;
}

bool element_matches(const Test& test, const Ejson& element);

// A test of one element by itself: what an array inside it holds does not count.
bool holds_for_element(const Test& test, const Ejson& element) {
  const auto holds = [&](const Test& each) { return holds_for_element(each, element); };
  bool result = false;
  if (test.kind == Test::Kind::all) {
    result = !test.tests.empty() && std::all_of(test.tests.begin(), test.tests.end(), holds);
  } else if (test.kind == Test::Kind::element) {
    const auto* array = element.get_if<EjsonArray>();
    result = array != nullptr && std::any_of(array->begin(), array->end(),
                                             [&](const Ejson& each) { return element_matches(test, each); });
  } else {
    result = holds_for(test, &element);
  }
  return result != test.negated;
}

bool element_matches(const Test& test, const Ejson& element) {
  if (test.child) {
    if (const auto* document = element.get_if<EjsonDocument>())
      return evaluate(*test.child, *document).matches;
    if (const auto* array = element.get_if<EjsonArray>()) {
      EjsonDocument as_document;
      for (std::size_t i = 0; i < array->size(); ++i) as_document.append(std::to_string(i), (*array)[i]);
      return evaluate(*test.child, as_document).matches;
    }
    return false;
  }
  return std::all_of(test.tests.begin(), test.tests.end(),
                     [&](const Test& each) { return holds_for_element(each, element); });
}

// A test at the end of a path: of the value itself, or of an element when it is an array.
bool visit_end(const Test& test, const Ejson* value, Index index, Filter::Match& found) {
  const auto* array = value == nullptr ? nullptr : value->get_if<EjsonArray>();
  if (test.kind == Test::Kind::element) {
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      if (element_matches(test, (*array)[i])) {
        found = {true, index ? index : i};
        return true;
      }
    }
    return false;
  }
  // Elements before the array itself: the first that passes is what `$` in an update stands for.
  for (std::size_t i = 0; array != nullptr && test.kind != Test::Kind::size && i < array->size(); ++i) {
    if (holds_for(test, &(*array)[i])) {
      found = {true, index ? index : i};
      return true;
    }
  }
  if (holds_for(test, value)) found = {true, index};
  return found.matches;
}

}  // namespace

int bson_type(const Ejson& value) noexcept {
  // In the order of Ejson::Variant; numbers of bsonspec.org, -1 and 127 for the keys.
  static constexpr std::array kTypes = {10, 8, 16, 18, 1, 19, 2, 3, 4, 5, 7, 9, 11, 17, -1, 127, 6};
  static_assert(kTypes.size() == std::variant_size_v<Ejson::Variant>);
  return kTypes[value.value().index()];
}

Filter::Match evaluate_test(const Test& test, const EjsonDocument& document) {
  Filter::Match found;
  if (test.kind == Test::Kind::all) {
    for (const Test& each : test.tests) {
      const Filter::Match match = evaluate_test(each, document);
      if (!match.matches) return {test.negated, std::nullopt};
      if (!found.array_index) found = match;
    }
    return test.negated ? Filter::Match{} : Filter::Match{!test.tests.empty(), found.array_index};
  }
  walk(document, test.path,
       [&](const Ejson* value, Index index) { return visit_end(test, value, index, found); });
  if (!test.negated) return found;
  return {!found.matches, std::nullopt};
}

Filter::Match evaluate(const Filter::Node& node, const EjsonDocument& document) {
  if (node.kind == Filter::Node::Kind::test) return evaluate_test(*node.test, document);
  Filter::Match result{node.kind != Filter::Node::Kind::either, std::nullopt};
  for (const Filter::Node& child : node.children) {
    const Filter::Match match = evaluate(child, document);
    switch (node.kind) {
      case Filter::Node::Kind::both:
        if (!match.matches) return {};
        if (!result.array_index) result.array_index = match.array_index;
        break;
      case Filter::Node::Kind::either:
        if (match.matches) return match;
        break;
      default:
        if (match.matches) return {};
    }
  }
  return result;
}

Filter::Filter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}

Filter::Match Filter::match(const EjsonDocument& document) const { return evaluate(*root_, document); }

const std::vector<std::pair<std::string, Ejson>>& Filter::equalities() const { return root_->equalities; }

const std::vector<std::pair<std::string, EjsonArray>>& Filter::equality_candidates() const {
  return root_->candidates;
}

}  // namespace keyturn::server::documents

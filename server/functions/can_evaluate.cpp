// SPDX-License-Identifier: Apache-2.0
#include "server/functions/can_evaluate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn::server::functions {
namespace {

constexpr int kMaxDepth = 20;

/// The number that a plain or an EJSON value stands for.
std::optional<double> number_of(const json::Value& value) {
  if (value.as_int() != nullptr) return static_cast<double>(*value.as_int());
  if (value.as_double() != nullptr) return *value.as_double();
  for (const char* name : {"$numberInt", "$numberLong", "$numberDouble"}) {
    const auto text = value.string_at(name);
    if (!text) continue;
    double number = 0;
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (fault == std::errc() && end == text->data() + text->size()) return number;
  }
  return std::nullopt;
}

bool are_equal(const json::Value& a, const json::Value& b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  return left && right ? *left == *right : a == b;
}

/// -1, 0 or 1; nothing when the two have no order.
std::optional<int> order_of(const json::Value& a, const json::Value& b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right) return *left < *right ? -1 : *left > *right ? 1 : 0;
  if (a.as_string() == nullptr || b.as_string() == nullptr) return std::nullopt;
  const int order = a.as_string()->compare(*b.as_string());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

const json::Value* at_path(const json::Object& facts, std::string_view path) {
  const std::size_t first_dot = path.find('.');
  const json::Value* value = facts.find(path.substr(0, first_dot));
  while (value != nullptr && path.find('.') != std::string_view::npos) {
    path.remove_prefix(path.find('.') + 1);
    value = value->find(path.substr(0, path.find('.')));
  }
  return value;
}

class Evaluation {
 public:
  explicit Evaluation(const json::Object& facts) : facts_(facts) {}

  bool matches(const json::Value& expression, int depth) const {
    if (expression.as_bool() != nullptr) return *expression.as_bool();
    if (const std::string* text = expression.as_string()) return *text == "%%true";
    const json::Object* members = expression.as_object();
    if (members == nullptr || depth > kMaxDepth) return false;
    return std::all_of(members->begin(), members->end(), [&](const auto& member) {
      return member_matches(member.first, member.second, depth);
    });
  }

 private:
  bool member_matches(std::string_view name, const json::Value& operand, int depth) const {
    if (name.substr(0, 2) == "%%") {
      if (name == "%%true" || name == "%%false") return value_matches(constant(name), operand, depth);
      return value_matches(at_path(facts_, name.substr(2)), operand, depth);
    }
    if (name == "%not" || name == "$not") return !matches(operand, depth + 1);
    const json::Array* branches = operand.as_array();
    if (branches == nullptr) return false;
    const auto holds = [&](const json::Value& each) { return matches(each, depth + 1); };
    if (name == "%and" || name == "$and") return std::all_of(branches->begin(), branches->end(), holds);
    if (name == "%or" || name == "$or") return std::any_of(branches->begin(), branches->end(), holds);
    if (name == "%nor" || name == "$nor") return std::none_of(branches->begin(), branches->end(), holds);
    return false;
  }

  bool value_matches(const json::Value* value, const json::Value& operand, int depth) const {
    const json::Object* members = operand.as_object();
    if (members == nullptr || members->empty() ||
        (members->begin()->first[0] != '%' && members->begin()->first[0] != '$') || number_of(operand)) {
      return value != nullptr && are_equal(*value, resolved(operand));
    }
    return std::all_of(members->begin(), members->end(), [&](const auto& member) {
      return operator_holds(std::string_view(member.first).substr(1), value, member.second, depth);
    });
  }

  bool operator_holds(std::string_view name, const json::Value* value, const json::Value& given,
                      int depth) const {
    const json::Value& operand = resolved(given);
    if (name == "exists") return operand.as_bool() != nullptr && *operand.as_bool() == (value != nullptr);
    if (name == "ne") return value == nullptr || !are_equal(*value, operand);
    if (name == "not") return depth < kMaxDepth && !value_matches(value, operand, depth + 1);
    if (name == "in" || name == "nin") {
      const json::Array* list = operand.as_array();
      if (list == nullptr) return false;
      const bool is_in =
          value != nullptr && std::any_of(list->begin(), list->end(), [&](const json::Value& each) {
            return are_equal(*value, resolved(each));
          });
      return is_in == (name == "in");
    }
    if (value == nullptr) return false;
    if (name == "eq") return are_equal(*value, operand);
    const auto order = order_of(*value, operand);
    if (!order) return false;
    if (name == "gt") return *order > 0;
    if (name == "gte") return *order >= 0;
    if (name == "lt") return *order < 0;
    if (name == "lte") return *order <= 0;
    return false;
  }

  static const json::Value* constant(std::string_view name) {
    static const json::Value kTrue(true);
    static const json::Value kFalse(false);
    return name == "%%true" ? &kTrue : &kFalse;
  }

  /// What an operand such as "%%user.id" names; null when it names nothing.
  const json::Value& resolved(const json::Value& operand) const {
    static const json::Value kNull;
    const std::string* text = operand.as_string();
    if (text == nullptr || text->rfind("%%", 0) != 0) return operand;
    if (*text == "%%true" || *text == "%%false") return *constant(*text);
    const json::Value* found = at_path(facts_, std::string_view(*text).substr(2));
    return found == nullptr ? kNull : *found;
  }

  const json::Object& facts_;
};

}  // namespace

bool may_evaluate(const json::Value* expression, const json::Object& facts) {
  if (expression == nullptr || expression->is_null()) return true;
  return Evaluation(facts).matches(*expression, 0);
}

}  // namespace keyturn::server::functions

// SPDX-License-Identifier: Apache-2.0
#include "server/functions/can_evaluate.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/json/json.hpp"
#include "server/domain/rules/rule_expression.hpp"

namespace keyturn::server::functions {

Result<bool> may_evaluate(const json::Value& expression, const json::Object& facts) {
  auto text = Ejson::parse(json::write(expression));
  if (!text) return Error(ErrorCode::NoMatchingRuleFound, "a rule is no Extended JSON, so it lets nobody in");
  auto rule = data::RuleExpression::compile(*text, data::RuleTopic::call);
  if (!rule) return rule.error();
  static constexpr std::array<const char*, 4> kNames{"user", "values", "environment", "request"};
  std::array<Ejson, kNames.size()> values;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const json::Value* fact = facts.find(kNames[i]);
    auto value = fact == nullptr ? Result<Ejson>(Ejson()) : Ejson::parse(json::write(*fact));
    if (!value) return value.error();
    values[i] = std::move(*value);
  }
  data::RuleFacts known;
  known.user = values[0].is_null() ? nullptr : &values[0];
  known.values = &values[1];
  known.environment = &values[2];
  known.request = &values[3];
  return rule->holds(known);
}

}  // namespace keyturn::server::functions

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/rules/field_rules.hpp"

#include <algorithm>

namespace keyturn::server::data {
namespace {

using Named = std::vector<NamedFieldRule>;

const FieldRule* rule_of(const Named& fields, std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& each) { return each.name == name; });
  return found == fields.end() ? nullptr : &found->rule;
}

Result<Named> compile_all(const Ejson* text) {
  Named out;
  if (text == nullptr || text->is_null()) return out;
  const auto* members = text->get_if<EjsonDocument>();
  if (members == nullptr)
    return Error(ErrorCode::NoMatchingRuleFound, "the 'fields' of a rule are no document");
  for (const auto& [name, value] : *members) {
    auto rule = FieldRule::compile(value);
    if (!rule) return rule.error();
    out.push_back({name, std::move(*rule)});
  }
  return out;
}

bool holds(const std::optional<RuleExpression>& condition, const RuleFacts& facts) {
  return condition && condition->holds(facts);
}

std::optional<Ejson> readable_part(const Ejson& value, const FieldRule& rule, RuleFacts facts) {
  facts.this_value = &value;
  facts.previous_value = &value;
  if (holds(rule.read, facts) || holds(rule.write, facts)) return value;
  const auto* members = value.get_if<EjsonDocument>();
  if (rule.read || members == nullptr) return std::nullopt;
  EjsonDocument out;
  for (const auto& [name, each] : *members) {
    const FieldRule* nested = rule_of(rule.fields, name);
    if (nested == nullptr) continue;
    if (auto part = readable_part(each, *nested, facts)) out.append(name, std::move(*part));
  }
  return out.empty() ? std::nullopt : std::optional<Ejson>(std::move(out));
}

/// Calls `f` with each name that one of the two has, until it answers false.
template <class F>
bool each_name(const EjsonDocument& before, const EjsonDocument& after, const F& f) {
  return std::all_of(after.begin(), after.end(), [&](const auto& member) { return f(member.first); }) &&
         std::all_of(before.begin(), before.end(),
                     [&](const auto& member) { return after.contains(member.first) || f(member.first); });
}

bool same(const Ejson* a, const Ejson* b) { return a == b || (a != nullptr && b != nullptr && *a == *b); }

bool may_write(const Ejson* before, const Ejson* after, const FieldRule& rule, RuleFacts facts) {
  facts.this_value = after;
  facts.previous_value = before;
  if (rule.write) return rule.write->holds(facts);
  static const EjsonDocument kNone;
  const auto* old_members = before == nullptr ? &kNone : before->get_if<EjsonDocument>();
  const auto* new_members = after == nullptr ? &kNone : after->get_if<EjsonDocument>();
  if (old_members == nullptr || new_members == nullptr || rule.fields.empty()) return false;
  return each_name(*old_members, *new_members, [&](const std::string& name) {
    const Ejson* was = old_members->find(name);
    const Ejson* is = new_members->find(name);
    if (same(was, is)) return true;
    const FieldRule* nested = rule_of(rule.fields, name);
    return nested != nullptr && may_write(was, is, *nested, facts);
  });
}

}  // namespace

Result<std::optional<RuleExpression>> condition_at(const Ejson& role, std::string_view name) {
  const Ejson* text = role.find(name);
  if (text == nullptr || text->is_null()) return std::optional<RuleExpression>();
  auto condition = RuleExpression::compile(*text);
  if (!condition) return condition.error();
  return std::optional<RuleExpression>(std::move(*condition));
}

Result<FieldRule> FieldRule::compile(const Ejson& text) {
  if (text.get_if<EjsonDocument>() == nullptr) {
    return Error(ErrorCode::NoMatchingRuleFound, "a field of a rule is no document");
  }
  FieldRule rule;
  auto read = condition_at(text, "read");
  if (!read) return read.error();
  auto write = condition_at(text, "write");
  if (!write) return write.error();
  auto nested = compile_all(text.find("fields"));
  if (!nested) return nested.error();
  return FieldRule{std::move(*read), std::move(*write), std::move(*nested)};
}

Result<FieldRules> FieldRules::compile(const Ejson* fields, const Ejson* additional) {
  FieldRules rules;
  auto named = compile_all(fields);
  if (!named) return named.error();
  rules.fields = std::move(*named);
  if (additional != nullptr && !additional->is_null()) {
    auto rule = FieldRule::compile(*additional);
    if (!rule) return rule.error();
    rules.additional = std::move(*rule);
  }
  return rules;
}

std::optional<EjsonDocument> FieldRules::readable(const EjsonDocument& document, RuleFacts facts) const {
  EjsonDocument out;
  bool any = false;
  for (const auto& [name, value] : document) {
    const FieldRule* rule = rule_of(fields, name);
    if (rule == nullptr && additional) rule = &*additional;
    auto part = rule == nullptr ? std::nullopt : readable_part(value, *rule, facts);
    any = any || part.has_value();
    if (!part && name == "_id") part = value;
    if (part) out.append(name, std::move(*part));
  }
  if (!any) return std::nullopt;
  return out;
}

bool FieldRules::may_change(const EjsonDocument* before, const EjsonDocument& after, RuleFacts facts) const {
  static const EjsonDocument kNone;
  const EjsonDocument& old_members = before == nullptr ? kNone : *before;
  return each_name(old_members, after, [&](const std::string& name) {
    const Ejson* was = old_members.find(name);
    const Ejson* is = after.find(name);
    if (same(was, is)) return true;
    const FieldRule* rule = rule_of(fields, name);
    if (rule == nullptr && name == "_id" && before == nullptr) return true;
    if (rule == nullptr && additional) rule = &*additional;
    return rule != nullptr && may_write(was, is, *rule, facts);
  });
}

}  // namespace keyturn::server::data

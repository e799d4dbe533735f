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

/// The members of what is a document, or is not there; null for any other value.
const EjsonDocument* members_of(const Ejson* value) {
  static const EjsonDocument kNone;
  return value == nullptr ? &kNone : value->get_if<EjsonDocument>();
}

bool may_write(const Ejson* before, const Ejson* after, const FieldRule& rule, RuleFacts facts) {
  facts.this_value = after;
  facts.previous_value = before;
  if (rule.write) return rule.write->holds(facts);
  const auto* old_members = members_of(before);
  const auto* new_members = members_of(after);
  if (old_members == nullptr || new_members == nullptr || rule.fields.empty()) return false;
  return each_name(*old_members, *new_members, [&](const std::string& name) {
    const Ejson* was = old_members->find(name);
    const Ejson* is = new_members->find(name);
    if (same(was, is)) return true;
    const FieldRule* nested = rule_of(rule.fields, name);
    return nested != nullptr && may_write(was, is, *nested, facts);
  });
}

/// A place that an update names. It counts as written although nothing there may differ: to pass over what is
/// the same would tell what is stored.
struct NamedPlace {
  const documents::Path& path;
  bool outcome_is_known;

  [[nodiscard]] bool may_write(const Ejson* before, const Ejson* after, const FieldRule& rule,
                               std::size_t depth, RuleFacts facts) const {
    facts.this_value = after;
    facts.previous_value = before;
    if (rule.write) return (!outcome_is_known && rule.write->is_about_document()) || rule.write->holds(facts);
    const auto* old_members = members_of(before);
    const auto* new_members = members_of(after);
    if (old_members == nullptr || new_members == nullptr || rule.fields.empty()) return false;
    const auto may_write_member = [&](const std::string& name) {
      const FieldRule* nested = rule_of(rule.fields, name);
      return nested != nullptr &&
             may_write(old_members->find(name), new_members->find(name), *nested, depth + 1, facts);
    };
    if (depth < path.parts().size()) return may_write_member(path.parts()[depth]);
    return each_name(*old_members, *new_members, may_write_member);
  }
};

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
    const FieldRule* rule = rule_for(name);
    auto part = rule == nullptr ? std::nullopt : readable_part(value, *rule, facts);
    any = any || part.has_value();
    if (!part && name == "_id") part = value;
    if (part) out.append(name, std::move(*part));
  }
  if (!any) return std::nullopt;
  return out;
}

const FieldRule* FieldRules::rule_for(std::string_view name) const {
  const FieldRule* rule = rule_of(fields, name);
  return rule == nullptr && additional ? &*additional : rule;
}

bool FieldRules::may_change(const EjsonDocument* before, const EjsonDocument& after,
                            const std::vector<documents::Path>& named, RuleFacts facts) const {
  static const EjsonDocument kNone;
  const EjsonDocument& old_members = before == nullptr ? kNone : *before;
  const bool may_differ = each_name(old_members, after, [&](const std::string& name) {
    const Ejson* was = old_members.find(name);
    const Ejson* is = after.find(name);
    if (same(was, is)) return true;
    if (name == "_id" && before == nullptr && rule_of(fields, name) == nullptr) return true;
    const FieldRule* rule = rule_for(name);
    return rule != nullptr && may_write(was, is, *rule, facts);
  });
  return may_differ && may_write_named(old_members, after, named, true, facts);
}

bool FieldRules::may_name(const EjsonDocument& before, const std::vector<documents::Path>& named,
                          RuleFacts facts) const {
  return may_write_named(before, before, named, false, facts);
}

bool FieldRules::may_write_named(const EjsonDocument& before, const EjsonDocument& after,
                                 const std::vector<documents::Path>& named, bool outcome_is_known,
                                 RuleFacts facts) const {
  return std::all_of(named.begin(), named.end(), [&](const documents::Path& path) {
    const std::string& name = path.parts().front();
    if (name == "_id") return true;  // always shown, and never changed
    const FieldRule* rule = rule_for(name);
    return rule != nullptr &&
           NamedPlace{path, outcome_is_known}.may_write(before.find(name), after.find(name), *rule, 1, facts);
  });
}

}  // namespace keyturn::server::data

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/rules/rule_gate.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/domain/documents/filter.hpp"
#include "server/domain/rules/field_rules.hpp"

namespace keyturn::server::data {
namespace {

using documents::Filter;

Error refused(std::string text) { return {ErrorCode::NoMatchingRuleFound, std::move(text)}; }

/// A document filter as it is for one caller.
struct Gatekeeper {
  EjsonDocument query;
  Filter filter;
};

Result<std::optional<Gatekeeper>> keeper_of(const Ejson* text, const RuleFacts& facts) {
  if (text == nullptr || text->is_null()) return std::optional<Gatekeeper>();
  auto query = rule_query(*text, facts);
  if (!query) return query.error();
  auto filter = Filter::compile(*query);
  if (!filter) return refused("a document filter of a rule: " + filter.error().message);
  return std::optional<Gatekeeper>(Gatekeeper{std::move(*query), std::move(*filter)});
}

struct Role {
  RuleExpression apply_when;
  std::optional<Gatekeeper> readable;
  std::optional<Gatekeeper> writable;
  std::optional<RuleExpression> read;
  std::optional<RuleExpression> write;
  std::optional<RuleExpression> insert;
  std::optional<RuleExpression> remove;
  FieldRules fields;

  [[nodiscard]] bool hides_members() const { return !read && !fields.empty(); }
  [[nodiscard]] bool may_see(const EjsonDocument& document) const {
    return !readable || readable->filter.matches(document) ||
           (writable && writable->filter.matches(document));
  }
  /// Whoever passes the document filters reads the whole document.
  [[nodiscard]] bool reads_whole(const RuleFacts& facts) const {
    return !apply_when.is_about_document() && read && !read->is_about_document() && read->holds(facts);
  }
  [[nodiscard]] EjsonDocument prefilter() const {
    if (!readable) return {};
    if (!writable || writable->query == readable->query) return readable->query;
    return {{"$or", EjsonArray{readable->query, writable->query}}};
  }
};

Result<Role> compile_role(const Ejson& text, RuleExpression apply_when, const RuleFacts& facts) {
  const Ejson* filters = text.find("document_filters");
  auto readable = keeper_of(filters == nullptr ? nullptr : filters->find("read"), facts);
  if (!readable) return readable.error();
  auto writable = keeper_of(filters == nullptr ? nullptr : filters->find("write"), facts);
  if (!writable) return writable.error();
  auto read = condition_at(text, "read");
  if (!read) return read.error();
  auto write = condition_at(text, "write");
  if (!write) return write.error();
  auto insert = condition_at(text, "insert");
  if (!insert) return insert.error();
  auto remove = condition_at(text, "delete");
  if (!remove) return remove.error();
  auto fields = FieldRules::compile(text.find("fields"), text.find("additional_fields"));
  if (!fields) return fields.error();
  return Role{std::move(apply_when), std::move(*readable), std::move(*writable), std::move(*read),
              std::move(*write),     std::move(*insert),   std::move(*remove),   std::move(*fields)};
}

class RuleGate final : public DocumentGate {
 public:
  RuleGate(CallerFacts caller, std::vector<Role> roles, std::vector<Gatekeeper> filters)
      : caller_(std::move(caller)), roles_(std::move(roles)), filters_(std::move(filters)) {}

  [[nodiscard]] EjsonDocument prefilter() const override {
    EjsonArray parts;
    for (const Gatekeeper& each : filters_) parts.emplace_back(each.query);
    EjsonArray any;
    for (const Role& role : roles_) any.emplace_back(role.prefilter());
    const bool is_open = std::any_of(any.begin(), any.end(),
                                     [](const Ejson& each) { return each.get_if<EjsonDocument>()->empty(); });
    if (any.empty()) parts.emplace_back(nothing());
    if (any.size() == 1)
      parts.push_back(std::move(any.front()));
    else if (!is_open && !any.empty())
      parts.emplace_back(EjsonDocument{{"$or", std::move(any)}});
    if (parts.empty()) return {};
    if (parts.size() == 1) return std::move(*parts.front().get_if<EjsonDocument>());
    return {{"$and", std::move(parts)}};
  }

  [[nodiscard]] bool prefilter_is_exact() const override {
    return roles_.empty() || (roles_.size() == 1 && roles_.front().reads_whole(facts_of(nullptr, nullptr)));
  }

  [[nodiscard]] bool hides_members() const override {
    return std::any_of(roles_.begin(), roles_.end(), [](const Role& role) { return role.hides_members(); });
  }

  [[nodiscard]] std::optional<EjsonDocument> view(const EjsonDocument& document) const override {
    const RuleFacts facts = facts_of(&document, &document);
    const Role* role = role_for(document, facts);
    if (role == nullptr || !role->may_see(document)) return std::nullopt;
    if (role->read && role->read->holds(facts)) return document;
    if (role->write && role->write->holds(facts) && is_writable(*role, document)) return document;
    return role->read ? std::nullopt : role->fields.readable(document, facts);
  }

  [[nodiscard]] Result<void> check_insert(const EjsonDocument& after) const override {
    const RuleFacts facts = facts_of(nullptr, &after);
    const Role* role = role_for(after, facts);
    const bool allowed =
        role != nullptr && is_writable(*role, after) && role->insert && role->insert->holds(facts) &&
        (role->write ? role->write->holds(facts) : role->fields.may_change(nullptr, after, {}, facts));
    if (allowed) return {};
    return refused("insert not permitted");
  }

  [[nodiscard]] Result<void> check_named(const EjsonDocument& before,
                                         const std::vector<documents::Path>& named) const override {
    const RuleFacts facts = facts_of(&before, &before);
    const Role* role = role_for(before, facts);
    const bool allowed =
        role != nullptr && is_writable(*role, before) &&
        (role->write ? may_still_hold(*role->write, facts) : role->fields.may_name(before, named, facts));
    if (allowed) return {};
    return refused("update not permitted");
  }

  [[nodiscard]] Result<void> check_update(const EjsonDocument& before, const EjsonDocument& after,
                                          const std::vector<documents::Path>& named) const override {
    const RuleFacts facts = facts_of(&before, &after);
    const Role* role = role_for(before, facts_of(&before, &before));
    const bool allowed = role != nullptr && is_writable(*role, before) && is_writable(*role, after) &&
                         passes_filters(after) && holds_throughout(role->apply_when, before, after) &&
                         (role->write ? holds_throughout(*role->write, before, after)
                                      : role->fields.may_change(&before, after, named, facts));
    if (allowed) return {};
    return refused("update not permitted");
  }

  [[nodiscard]] Result<void> check_remove(const EjsonDocument& before) const override {
    const RuleFacts facts = facts_of(&before, &before);
    const Role* role = role_for(before, facts);
    if (role != nullptr && is_writable(*role, before) && role->remove && role->remove->holds(facts))
      return {};
    return refused("delete not permitted");
  }

 private:
  [[nodiscard]] RuleFacts facts_of(const EjsonDocument* before, const EjsonDocument* after) const {
    RuleFacts facts;
    if (!caller_.user.is_null()) facts.user = &caller_.user;
    facts.values = &caller_.values;
    facts.environment = &caller_.environment;
    facts.root = after;
    facts.previous = before;
    return facts;
  }

  [[nodiscard]] bool passes_filters(const EjsonDocument& document) const {
    return std::all_of(filters_.begin(), filters_.end(),
                       [&](const Gatekeeper& each) { return each.filter.matches(document); });
  }

  [[nodiscard]] const Role* role_for(const EjsonDocument& document, const RuleFacts& facts) const {
    if (!passes_filters(document)) return nullptr;
    const auto found = std::find_if(roles_.begin(), roles_.end(),
                                    [&](const Role& role) { return role.apply_when.holds(facts); });
    return found == roles_.end() ? nullptr : &*found;
  }

  static bool is_writable(const Role& role, const EjsonDocument& document) {
    return !role.writable || role.writable->filter.matches(document);
  }

  [[nodiscard]] bool holds_throughout(const RuleExpression& condition, const EjsonDocument& before,
                                      const EjsonDocument& after) const {
    if (!condition.holds(facts_of(&before, &after))) return false;
    return condition.names_previous() || !condition.is_about_document() ||
           condition.holds(facts_of(&before, &before));
  }

  /// Whether `holds_throughout` may be true of a document that is still as it was.
  static bool may_still_hold(const RuleExpression& condition, const RuleFacts& as_it_was) {
    return condition.names_previous() || condition.holds(as_it_was);
  }

  CallerFacts caller_;
  std::vector<Role> roles_;
  std::vector<Gatekeeper> filters_;
};

Result<std::vector<Gatekeeper>> compile_filters(const Ejson* list, const RuleFacts& facts) {
  std::vector<Gatekeeper> out;
  const auto* filters = list == nullptr ? nullptr : list->get_if<EjsonArray>();
  if (filters == nullptr) return out;
  for (const Ejson& each : *filters) {
    const Ejson* when = each.find("apply_when");
    auto applies = RuleExpression::compile(when == nullptr ? Ejson() : *when);
    if (!applies) return applies.error();
    if (applies->is_about_document()) return refused("a filter of a rule asks about the document");
    if (!applies->holds(facts)) continue;
    if (const Ejson* projection = each.find("projection");
        projection != nullptr && !projection->is_null() && *projection != Ejson(EjsonDocument())) {
      return refused("a rule uses the projection of a filter, which is not supported, so it lets nobody in");
    }
    auto keeper = keeper_of(each.find("query"), facts);
    if (!keeper) return keeper.error();
    if (*keeper) out.push_back(std::move(**keeper));
  }
  return out;
}

}  // namespace

const Ejson& built_in_rule() {
  static const Ejson kRule = [] {
    const Ejson own(EjsonDocument{{"owner_id", "%%user.id"}});
    return Ejson(EjsonDocument{
        {"roles", EjsonArray{EjsonDocument{
                      {"name", "owner"},
                      {"apply_when", EjsonDocument{{"%%user.id", EjsonDocument{{"%exists", true}}}}},
                      {"document_filters", EjsonDocument{{"read", own}, {"write", own}}},
                      {"read", true},
                      {"write", true},
                      {"insert", true},
                      {"delete", true}}}}});
  }();
  return kRule;
}

Result<std::shared_ptr<const DocumentGate>> make_rule_gate(const Ejson& rule, CallerFacts caller) {
  RuleFacts facts;
  if (!caller.user.is_null()) facts.user = &caller.user;
  facts.values = &caller.values;
  facts.environment = &caller.environment;
  auto filters = compile_filters(rule.find("filters"), facts);
  if (!filters) return filters.error();
  std::vector<Role> roles;
  const Ejson* list = rule.find("roles");
  static const EjsonArray kNone;
  const auto* texts = list == nullptr ? &kNone : list->get_if<EjsonArray>();
  if (texts == nullptr && !list->is_null()) return refused("the 'roles' of a rule are no list");
  for (const Ejson& text : texts == nullptr ? kNone : *texts) {
    const Ejson* when = text.find("apply_when");
    auto applies = RuleExpression::compile(when == nullptr ? Ejson() : *when);
    if (!applies) return applies.error();
    const bool is_settled = !applies->is_about_document();
    if (is_settled && !applies->holds(facts)) continue;
    auto role = compile_role(text, std::move(*applies), facts);
    if (!role) return role.error();
    roles.push_back(std::move(*role));
    if (is_settled) break;  // those behind it never count
  }
  return std::shared_ptr<const DocumentGate>(
      std::make_shared<RuleGate>(std::move(caller), std::move(roles), std::move(*filters)));
}

}  // namespace keyturn::server::data

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/path.hpp"
#include "server/domain/rules/rule_expression.hpp"

namespace keyturn::server::data {

struct NamedFieldRule;

/// What a role may do with a member of a document (`fields`, `additional_fields`). What is not said is
/// refused; who may write may read.
struct FieldRule {
  std::optional<RuleExpression> read;
  std::optional<RuleExpression> write;
  std::vector<NamedFieldRule> fields;  ///< Of a nested document.

  [[nodiscard]] static Result<FieldRule> compile(const Ejson& text);
};

struct NamedFieldRule {
  std::string name;
  FieldRule rule;
};

/// The rules of a document's own members. Thread safety: immutable.
struct FieldRules {
  std::vector<NamedFieldRule> fields;
  std::optional<FieldRule> additional;  ///< For members that `fields` does not name.

  [[nodiscard]] static Result<FieldRules> compile(const Ejson* fields, const Ejson* additional);
  [[nodiscard]] bool empty() const noexcept { return fields.empty() && !additional; }

  /// The members that may be read, with `_id`; nothing when there are none.
  [[nodiscard]] std::optional<EjsonDocument> readable(const EjsonDocument& document, RuleFacts facts) const;
  /// Whether every difference may be written, and every path of `named` whether it differs or not. `before`
  /// is null for a new document, whose `_id` needs no rule; nor does that of another, which cannot be
  /// changed.
  [[nodiscard]] bool may_change(const EjsonDocument* before, const EjsonDocument& after,
                                const std::vector<documents::Path>& named, RuleFacts facts) const;
  /// Whether every path of `named` may be written where what comes of it is not known yet: conditions about
  /// the document count as met.
  [[nodiscard]] bool may_name(const EjsonDocument& before, const std::vector<documents::Path>& named,
                              RuleFacts facts) const;

 private:
  [[nodiscard]] const FieldRule* rule_for(std::string_view name) const;
  [[nodiscard]] bool may_write_named(const EjsonDocument& before, const EjsonDocument& after,
                                     const std::vector<documents::Path>& named, bool outcome_is_known,
                                     RuleFacts facts) const;
};

/// A member of a role that is a condition: absent and null are no rule at all.
[[nodiscard]] Result<std::optional<RuleExpression>> condition_at(const Ejson& role, std::string_view name);

}  // namespace keyturn::server::data

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::data {

/// What the names in expressions stand for. Lifetime: the pointers during the question.
struct RuleFacts {
  const Ejson* user = nullptr;              ///< `%%user`; null: nobody is logged in.
  const Ejson* values = nullptr;            ///< `%%values`.
  const Ejson* environment = nullptr;       ///< `%%environment`.
  const Ejson* request = nullptr;           ///< `%%request`; null: the question is not about a request.
  const EjsonDocument* root = nullptr;      ///< `%%root`: after a change, else as it is.
  const EjsonDocument* previous = nullptr;  ///< `%%prevRoot`; null when the document is new.
  const Ejson* this_value = nullptr;        ///< `%%this`: the field that is asked about.
  const Ejson* previous_value = nullptr;    ///< `%%prev`.
};

/// What an expression is about, which decides the names that it may use.
enum class RuleTopic {
  document,  ///< A rule of a collection: everything but `%%request`.
  call,      ///< `can_evaluate` of a function or an endpoint: nothing about a document.
};

/// A condition of a rule, such as `{"%%root.owner_id": "%%user.id"}`. Knows the names of `RuleFacts` and
/// `%%true`, `%%false`; `%and %or %nor %not`; on a name `%eq %ne %gt %gte %lt %lte %in %nin %exists %not`; as
/// values `%stringToOid %oidToString`; each operator with `%` or `$`. Nothing that is missing equals anything
/// but null.
///
/// Thread safety: immutable. Errors of `compile`: `NoMatchingRuleFound`, naming what is not known: such a
/// rule lets nobody in.
class RuleExpression {
 public:
  /// Absent (null) and `{}` always hold.
  [[nodiscard]] static Result<RuleExpression> compile(const Ejson& text,
                                                      RuleTopic topic = RuleTopic::document);
  [[nodiscard]] bool holds(const RuleFacts& facts) const;

  /// Whether the text names `%%root`, `%%prevRoot`, `%%this` or `%%prev`.
  [[nodiscard]] bool is_about_document() const noexcept { return is_about_document_; }
  [[nodiscard]] bool names_previous() const noexcept { return names_previous_; }

 private:
  explicit RuleExpression(Ejson text) : text_(std::move(text)) {}
  Ejson text_;
  bool is_about_document_ = false;
  bool names_previous_ = false;
};

/// The value that an operand stands for: a name, a conversion, or itself. Nothing: it names what is missing.
[[nodiscard]] std::optional<Ejson> rule_value(const Ejson& operand, const RuleFacts& facts);

/// A `document_filters` query with its names replaced: `{"owner_id": "%%user.id"}` becomes a query that a
/// store understands. Names that stand for nothing make a query that matches nothing. Errors: as
/// `RuleExpression::compile`.
[[nodiscard]] Result<EjsonDocument> rule_query(const Ejson& text, const RuleFacts& facts);

/// A query that no document matches.
[[nodiscard]] EjsonDocument nothing();

}  // namespace keyturn::server::data

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// What a stage of an aggregation computes from a document: field paths ("$a.b"), `$$ROOT`, literals,
/// documents and arrays of expressions, and the operators `$literal $add $subtract $multiply $divide $concat
/// $toLower $toUpper $ifNull $cond $eq $ne $gt $gte $lt $lte $and $or $not $size $arrayElemAt`. Anything else
/// is refused by name.
///
/// Thread safety: immutable.
class Expression {
 public:
  [[nodiscard]] static Result<Expression> compile(const Ejson& specification);

  /// Nothing: the value is missing, so that a member made of it is left out.
  [[nodiscard]] Result<std::optional<Ejson>> evaluate(const EjsonDocument& root) const;

  struct Node;

 private:
  explicit Expression(std::shared_ptr<const Node> node);
  std::shared_ptr<const Node> node_;
};

}  // namespace keyturn::server::documents

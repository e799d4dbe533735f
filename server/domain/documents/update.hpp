// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/filter.hpp"

namespace keyturn::server::documents {

/// A compiled update: operators `$set $unset $inc $mul $min $max $rename $setOnInsert $currentDate $push (+
/// $each $slice $sort $position) $pull $addToSet $pop` with `$`, `$[]` and `$[id]` in paths, or a whole new
/// document.
///
/// Thread safety: immutable. Errors: `MongoDBError` 400 with MongoDB's texts where the wire page gives one
/// ("Unknown modifier: $who").
class Update {
 public:
  [[nodiscard]] static Result<Update> compile(const Ejson& update, const EjsonArray& array_filters = {});

  /// A document in place of the old one; keeps its `_id`.
  [[nodiscard]] bool is_replacement() const;

  /// The document after the update. `inserting`: the first of an upsert, so `$setOnInsert` counts.
  /// Errors: `MongoDBError` for a change of `_id`, an operator on a value of the wrong type, Decimal128
  /// arithmetic, a result above 16 MB.
  [[nodiscard]] Result<EjsonDocument> apply(const EjsonDocument& before, const Filter::Match& match,
                                            WallTime now, bool inserting) const;

  struct Plan;

 private:
  explicit Update(std::shared_ptr<const Plan> plan);
  std::shared_ptr<const Plan> plan_;
};

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// A compiled query. Operators: `$eq $ne $gt $gte $lt $lte $in $nin $and $or $nor $not $exists $type $regex
/// $elemMatch $size $all`, dotted paths through documents and arrays as MongoDB's manual describes them.
///
/// Thread safety: immutable. Errors of `compile`: `MongoDBError` 400; what is unknown: "unknown operator:
/// $who"; what MongoDB has and this does not: named, with a pointer to a linked MongoDB.
class Filter {
 public:
  [[nodiscard]] static Result<Filter> compile(const EjsonDocument& query);

  struct Match {
    bool matches = false;
    /// Index of the first element that matched in the first array on a queried path: what `$` in an update
    /// stands for.
    std::optional<std::size_t> array_index;
  };
  [[nodiscard]] Match match(const EjsonDocument& document) const;
  [[nodiscard]] bool matches(const EjsonDocument& document) const { return match(document).matches; }

  /// Paths that must equal one value, in the order of the query and as often as it says so: {"a": 1}, `$eq`,
  /// `$in` and `$all` of one, each value of a longer `$all`, inside `$and` and a `$or` of one branch.
  [[nodiscard]] const std::vector<std::pair<std::string, Ejson>>& equalities() const;
  /// For each path that must equal one of some values (`$eq`, `$in`): those values. A store may use an index
  /// for one.
  [[nodiscard]] const std::vector<std::pair<std::string, EjsonArray>>& equality_candidates() const;

  struct Node;

 private:
  explicit Filter(std::shared_ptr<const Node> root);
  std::shared_ptr<const Node> root_;
};

}  // namespace keyturn::server::documents

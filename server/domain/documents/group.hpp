// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/expression.hpp"
#include "server/domain/documents/number_sum.hpp"

namespace keyturn::server::documents {

/// The `$group` stage with `$sum $avg $min $max $first $last $push $addToSet $count`. Groups come in the
/// order in which their first document came. Errors: `MongoDBError`.
class Group {
 public:
  [[nodiscard]] static Result<Group> compile(const EjsonDocument& specification);
  [[nodiscard]] Result<std::vector<EjsonDocument>> run(const std::vector<EjsonDocument>& documents) const;

 private:
  enum class Kind { sum, avg, min, max, first, last, push, add_to_set, count };
  struct Accumulator {
    std::string name;
    Kind kind;
    Expression expression;
  };
  struct State {
    Ejson value;
    NumberSum total;
    std::int64_t count = 0;
    bool started = false;
  };
  Group(Expression id, std::vector<Accumulator> accumulators)
      : id_(std::move(id)), accumulators_(std::move(accumulators)) {}
  [[nodiscard]] static Result<void> take(const Accumulator& accumulator, State& state,
                                         const std::optional<Ejson>& value);
  [[nodiscard]] static Ejson finish(const Accumulator& accumulator, const State& state);

  Expression id_;
  std::vector<Accumulator> accumulators_;
};

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/path.hpp"
#include "server/domain/documents/sort.hpp"
#include "server/domain/documents/update.hpp"

// The compiled form of an update, shared by its compiler (update.cpp) and its operators
// (update_operators.cpp).
namespace keyturn::server::documents {

/// `$push` and `$addToSet` with their modifiers.
struct PushPlan {
  EjsonArray values;
  std::optional<std::int64_t> position;
  std::optional<std::int64_t> slice;
  std::optional<Sort> sort_documents;
  int sort_values = 0;  ///< 1 or -1: the elements themselves.
};

struct UpdateStep {
  enum class Kind {
    set,
    unset,
    inc,
    mul,
    min,
    max,
    rename,
    set_on_insert,
    current_date,
    push,
    add_to_set,
    pull,
    pop
  };
  Kind kind = Kind::set;
  Path path{""};
  Ejson operand;
  PushPlan push;
  /// Of documents, or of elements wrapped as the member "" of a document; nothing: what equals the operand.
  std::optional<Filter> pull_filter;
  bool pull_wrapped = false;
};

struct Update::Plan {
  std::optional<EjsonDocument> replacement;
  std::vector<UpdateStep> steps;
  std::map<std::string, Filter> array_filters;  ///< By identifier; the element is the member of that name.
};

/// Carries out one step on the value at its place. `value` is null when there is none; a new value is
/// answered, or nothing when the member is to be removed (or stays absent).
[[nodiscard]] Result<std::optional<Ejson>> apply_step(const UpdateStep& step, const Ejson* value,
                                                      WallTime now);

}  // namespace keyturn::server::documents

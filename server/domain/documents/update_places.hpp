// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "server/domain/documents/path.hpp"
#include "server/domain/documents/update_plan.hpp"

// Where the steps of an update take place. All places are found in the document as it was, so that no step
// decides where another one goes, and are told apart and put in order before anything is changed.
namespace keyturn::server::documents {

/// A step and one place of it: a path without placeholders; of a `$rename` the new one.
struct PlacedStep {
  const UpdateStep* step;
  Path place;
};

/// In the order in which MongoDB carries them out, which decides the order of new members. Errors:
/// `MongoDBError` for a placeholder that stands for nothing, and where two steps meet.
[[nodiscard]] Result<std::vector<PlacedStep>> place_steps(const Update::Plan& plan,
                                                          const EjsonDocument& document,
                                                          const Filter::Match& match);

/// The identifier of a part `$[identifier]`, empty for `$[]`; nothing for any other part.
[[nodiscard]] std::optional<std::string> array_identifier(std::string_view part);

/// Where two paths as they are written cannot go together, one leading to the other, or one naming elements
/// by
/// `$[]` where the other names one; nothing: they can.
[[nodiscard]] std::optional<std::string> conflict_of(const Path& a, const Path& b);

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/expression.hpp"
#include "server/domain/documents/shape.hpp"

namespace keyturn::server::documents {

/// The stage `$addFields` (`$set`): computed members at paths. Nested documents name paths, so
/// `{a: {b: 1}}` adds a member to `a`. A path goes into each element of an array.
///
/// Thread safety: immutable. Errors: `MongoDBError`.
class AddFields {
 public:
  [[nodiscard]] static Result<AddFields> compile(const EjsonDocument& specification);
  /// Computes from `source` and puts into `target`. What computes to nothing is removed.
  [[nodiscard]] Result<void> apply(const EjsonDocument& source, EjsonDocument& target) const;

 private:
  friend class ProjectFields;
  static Result<AddFields> of_paths(const EjsonDocument& paths);
  std::vector<std::pair<std::string, Expression>> fields_;
};

/// The stage `$project`: inclusion or exclusion of paths, and computed members beside an inclusion.
class ProjectFields {
 public:
  [[nodiscard]] static Result<ProjectFields> compile(const EjsonDocument& specification);
  [[nodiscard]] Result<EjsonDocument> apply(const EjsonDocument& document) const;

 private:
  ProjectFields(Projection plain, AddFields computed)
      : plain_(std::move(plain)), computed_(std::move(computed)) {}
  Projection plain_;
  AddFields computed_;
};

}  // namespace keyturn::server::documents

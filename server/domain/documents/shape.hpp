// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// Which members of a document are shown: inclusion or exclusion of dotted paths, `_id` apart. Other forms
/// (expressions, `$slice`, `$elemMatch`, `$`) are refused by name with `MongoDBError`.
class Projection {
 public:
  /// `computed`: paths beside an inclusion whose values are put in afterwards: what lies on their way keeps
  /// its place, as an empty document where it is none.
  [[nodiscard]] static Result<Projection> compile(const EjsonDocument& specification,
                                                  const std::vector<std::string>& computed = {});
  [[nodiscard]] EjsonDocument apply(const EjsonDocument& document) const;

 private:
  enum class Mode { everything, include, exclude };
  Mode mode_ = Mode::everything;
  bool keep_id_ = true;
  EjsonDocument tree_;  ///< Nested members of the named paths.
};

}  // namespace keyturn::server::documents

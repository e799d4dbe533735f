// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// A compiled aggregation: `$match $project $addFields $set $unset $group (sum avg min max first last push
/// addToSet count) $sort $limit $skip $unwind $count $lookup (equality form) $replaceRoot`, with expressions:
/// field paths, literals,
/// `$$ROOT`, and the operators that docs/reference/documents.md lists. Errors: `MongoDBError`; an unknown
/// stage: "Unrecognized pipeline stage name: '$who'."
///
/// Thread safety: immutable.
class Pipeline {
 public:
  [[nodiscard]] static Result<Pipeline> compile(const EjsonArray& stages);

  /// The collections that `$lookup` reads, so that their rules can be applied first.
  [[nodiscard]] std::vector<std::string> foreign_collections() const;
  /// The filter of a leading `$match`, so that a store need not read everything; empty when there is none.
  [[nodiscard]] EjsonDocument leading_match() const;

  using ReadCollection = std::function<Result<std::vector<EjsonDocument>>(const std::string& collection)>;
  [[nodiscard]] Result<std::vector<EjsonDocument>> run(std::vector<EjsonDocument> documents,
                                                       const ReadCollection& foreign) const;

  struct Stages;

 private:
  explicit Pipeline(std::shared_ptr<const Stages> stages);
  std::shared_ptr<const Stages> stages_;
};

}  // namespace keyturn::server::documents

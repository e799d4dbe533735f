// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/data/document_gate.hpp"

// What rules make of queries and pipelines before a cluster sees them. Pure.
namespace keyturn::server::mongodb {

/// Null, or every document that matches the gate's prefilter is seen whole: the cluster can do the rest.
[[nodiscard]] bool is_exact(const DocumentGate* gate);

/// What to look for on the cluster: all that the caller sees and asked for is among it. A gate that hides
/// members keeps the caller's query away from them: it is asked later, of what is seen.
[[nodiscard]] EjsonDocument asked_of_cluster(const EjsonDocument& query, const DocumentGate* gate);

/// Errors: `MongoDBError` for what runs JavaScript in the cluster ($where, $function, $accumulator), which is
/// not for callers under rules.
[[nodiscard]] Result<void> check_query(const Ejson& query);

/// The collections of the same database that a pipeline reads besides its own.
[[nodiscard]] std::vector<std::string> foreign_collections(const EjsonArray& pipeline);

using ForeignGates = std::map<std::string, const DocumentGate*, std::less<>>;

/// The pipeline as the cluster runs it for a caller who sees exactly what `prefilter` matches: it begins with
/// that filter, and so does each part that reads another collection. Errors: `MongoDBError` for a stage that
/// writes, or that shows more than documents.
[[nodiscard]] Result<EjsonArray> guarded_pipeline(const EjsonArray& pipeline, const EjsonDocument& prefilter,
                                                  const ForeignGates& foreign);

}  // namespace keyturn::server::mongodb

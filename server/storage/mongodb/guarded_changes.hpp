// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/storage/mongodb/commands.hpp"

// Changes under rules, each in one transaction: the gate is asked of documents as they are and as they have
// become, and nothing is kept when it refuses.
namespace keyturn::server::mongodb {

/// Errors, here and below: as `DocumentStore`; `MongoDBError` for a cluster without transactions.
[[nodiscard]] Result<UpdateResult> guarded_update(Cluster& cluster, const CollectionName& where,
                                                  const UpdateQuery& query);
/// Projections are those of the embedded engine.
[[nodiscard]] Result<std::optional<EjsonDocument>> guarded_find_and_modify(Cluster& cluster,
                                                                           const CollectionName& where,
                                                                           const FindAndModifyQuery& query);
[[nodiscard]] Result<std::int64_t> guarded_remove(Cluster& cluster, const CollectionName& where,
                                                  const EjsonDocument& filter, bool many,
                                                  const DocumentGate& gate);

}  // namespace keyturn::server::mongodb

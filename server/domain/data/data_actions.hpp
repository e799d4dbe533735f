// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/data/document_store.hpp"

namespace keyturn::server {

/// Where an action works and what its caller may do there. Lifetime: during the call.
struct DataScope {
  DocumentStore& store;
  const CollectionName& where;
  const DocumentGate* gate;  ///< Null: everything.
  /// The gates of other collections of the database (`$lookup`).
  std::function<Result<std::shared_ptr<const DocumentGate>>(const std::string& collection)> gate_of;
};

/// One action of client-api.md 13 by its name, with results in the shapes and integer widths that clients
/// assert. Errors: `BadRequest` for arguments; `ServiceCommandNotFound` for an unknown name;
/// `MongoDBError` for an option that would change the answer; those of the store.
[[nodiscard]] Result<Ejson> run_data_action(const DataScope& scope, std::string_view action,
                                            const EjsonDocument& arguments);

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/domain/documents/filter.hpp"
#include "server/domain/documents/update.hpp"
#include "server/storage/sqlite/document_context.hpp"

// What becomes a document of the store.
namespace keyturn::server::sqlite {

/// The new document of an upsert that matched nothing: what the filter says is equal, then the update.
[[nodiscard]] Result<EjsonDocument> upserted(const documents::Filter& filter, const documents::Update& update,
                                             const DocumentContext& context);

/// The document with an `_id` in front; a new ObjectId when it has none.
[[nodiscard]] EjsonDocument with_id(EjsonDocument document, const DocumentContext& context);

/// Errors: `MongoDBError` for an `_id` of a type that none may have.
[[nodiscard]] Result<void> check_id(const EjsonDocument& document);

}  // namespace keyturn::server::sqlite

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <keyturn/ejson.hpp>

#include "server/domain/data/document_store.hpp"
#include "server/domain/documents/filter.hpp"
#include "server/storage/sqlite/connection.hpp"

// Rows of the document tables. Faults stick to the connection, as everywhere in this folder.
namespace keyturn::server::sqlite {

struct StoredDocument {
  std::int64_t place = 0;
  EjsonDocument document;
};

struct StoredIndex {
  std::int64_t id = 0;
  IndexDefinition definition;
  std::string path;
};

/// The collection's number; with `make` it is added when missing.
[[nodiscard]] std::optional<std::int64_t> find_collection(Connection& sql, const CollectionName& where,
                                                          bool make);

[[nodiscard]] std::vector<StoredIndex> read_indexes(Connection& sql, std::int64_t collection);

/// Calls `take` with each document that matches, in natural order, until it answers false. Uses `_id` or an
/// index where the filter names values for one; each candidate is matched all the same.
void scan(Connection& sql, std::int64_t collection, const documents::Filter& filter,
          const std::function<bool(StoredDocument, const documents::Filter::Match&)>& take);

/// Adds a document or replaces the one at `place` (0: a new one), with its index entries. Answers its place.
/// Errors: `MongoDBError` "Duplicate key error" for an `_id` or a unique value that is taken; the caller
/// takes back what was changed by then.
[[nodiscard]] Result<std::int64_t> put_document(Connection& sql, std::int64_t collection,
                                                const std::vector<StoredIndex>& indexes, std::int64_t place,
                                                const EjsonDocument& document);
void remove_document(Connection& sql, std::int64_t place);

/// Writes the entries of one index for one document. Errors: as `put_document`.
[[nodiscard]] Result<void> add_index_entries(Connection& sql, const StoredIndex& index, std::int64_t place,
                                             const EjsonDocument& document);

}  // namespace keyturn::server::sqlite

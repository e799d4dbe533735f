// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/sort.hpp"

// By what a document sorts.
namespace keyturn::server::documents {

/// One value for each key of the order.
using SortKey = std::vector<Ejson>;

[[nodiscard]] bool comes_before(const SortKey& a, const SortKey& b, const std::vector<Sort::Key>& keys);

/// Of all that the arrays of the document allow, the one that comes first. Errors: as `Sort::apply`.
[[nodiscard]] Result<SortKey> first_sort_key(const EjsonDocument& document,
                                             const std::vector<Sort::Key>& keys);

/// The values under which an index on one path keeps a document: each element of an array, `undefined` for an
/// empty one, null where the path ends in nothing.
[[nodiscard]] std::vector<Ejson> index_values(const EjsonDocument& document, const Path& path);

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/filter.hpp"

namespace keyturn::server::documents {

/// What the new document of an upsert holds before the update is carried out: the values that the filter says
/// are equal, of which a replacement takes the `_id` alone. Errors: `MongoDBError` where the filter says two
/// values of one place.
[[nodiscard]] Result<EjsonDocument> upsert_seed(const Filter& filter, bool is_replacement);

}  // namespace keyturn::server::documents

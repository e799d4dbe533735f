// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"

namespace keyturn::server::documents {

/// The values by which `$lookup` joins a document: those that its path reaches, elements of arrays each by
/// itself; null when it reaches none. They are compared as values, so a regular expression finds itself only.
class LookupValues {
 public:
  /// Errors: `MongoDBError` for `undefined`, which no query may ask for.
  [[nodiscard]] static Result<LookupValues> of(const EjsonDocument& document, const Path& local);
  /// Whether a query for one of them on the path would find the document.
  [[nodiscard]] bool are_found_in(const EjsonDocument& document, const Path& foreign) const;

 private:
  [[nodiscard]] bool have(const Ejson& value) const;
  std::set<Ejson, Less> values_;
};

}  // namespace keyturn::server::documents

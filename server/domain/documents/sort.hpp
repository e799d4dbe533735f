// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/path.hpp"

namespace keyturn::server::documents {

/// An order of documents: {"a": 1, "b.c": -1}. An array sorts by its least (or greatest) element; keys that
/// lead through the same array sort by the element whose keys together come first.
class Sort {
 public:
  [[nodiscard]] static Result<Sort> compile(const EjsonDocument& specification);
  [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
  /// Stable. Errors: `MongoDBError` for a document with two arrays on the paths of the keys; the documents
  /// are as they were then.
  [[nodiscard]] Result<void> apply(std::vector<EjsonDocument>& documents) const;
  /// As `$push` with `$sort` puts the elements of an array in order: by whole values, where a path enters
  /// arrays by number only; what is no document sorts as an empty one.
  void apply_to_elements(EjsonArray& elements) const;

  struct Key {
    Path path;
    bool descending = false;
  };

 private:
  std::vector<Key> keys_;
};

}  // namespace keyturn::server::documents

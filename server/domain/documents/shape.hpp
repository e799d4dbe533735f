// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/path.hpp"

namespace keyturn::server::documents {

/// Which members of a document are shown: inclusion or exclusion of dotted paths, `_id` apart. Other forms
/// (expressions, `$slice`, `$elemMatch`, `$`) are refused by name with `MongoDBError`.
class Projection {
 public:
  [[nodiscard]] static Result<Projection> compile(const EjsonDocument& specification);
  [[nodiscard]] EjsonDocument apply(const EjsonDocument& document) const;

 private:
  enum class Mode { everything, include, exclude };
  Mode mode_ = Mode::everything;
  bool keep_id_ = true;
  EjsonDocument tree_;  ///< Nested members of the named paths.
};

/// An order of documents: {"a": 1, "b.c": -1}. Arrays sort by their least (or greatest) element, as MongoDB
/// does.
class Sort {
 public:
  [[nodiscard]] static Result<Sort> compile(const EjsonDocument& specification);
  [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
  /// Stable.
  void apply(std::vector<EjsonDocument>& documents) const;
  /// The same for the elements of an array (`$push` with `$sort`); what is no document sorts as an empty one.
  void apply_to_values(EjsonArray& values) const;

 private:
  struct Key {
    Path path;
    bool descending = false;
  };
  static Ejson key_of(const EjsonDocument& document, const Key& key);
  template <class T, class DocumentOf>
  void apply_to(std::vector<T>& items, const DocumentOf& document_of) const;

  std::vector<Key> keys_;
};

}  // namespace keyturn::server::documents

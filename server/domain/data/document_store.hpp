// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/data/document_gate.hpp"

namespace keyturn::server {

/// Where a document lives. `service` is the name of the linked service ("mongodb-atlas").
struct CollectionName {
  std::string app_id;
  std::string service;
  std::string database;
  std::string collection;
};

struct FindQuery {
  EjsonDocument filter;
  EjsonDocument projection;
  EjsonDocument sort;
  std::int64_t skip = 0;
  std::int64_t limit =
      0;  ///< 0: no limit of the caller's; the store's own cap of 50,000 stays (client-api.md 13).
  const DocumentGate* gate = nullptr;  ///< Null, here and below: everything is allowed.
};

struct InsertQuery {
  std::vector<EjsonDocument> documents;
  bool ordered = true;  ///< Nothing after the first fault is inserted; false: all that can be.
  const DocumentGate* gate = nullptr;
};

struct AggregateQuery {
  EjsonArray pipeline;
  const DocumentGate* gate = nullptr;
  /// For collections that `$lookup` reads; one that is not named here is seen as a whole.
  std::map<std::string, const DocumentGate*, std::less<>> foreign_gates = {};
};

struct UpdateQuery {
  EjsonDocument filter;
  Ejson update;  ///< Operators or a replacement.
  EjsonArray array_filters;
  bool upsert = false;
  bool many = false;
  /// What the document must match after the update; empty: anything. A violation changes nothing.
  EjsonDocument guard;
  const DocumentGate* gate = nullptr;
};

struct UpdateResult {
  std::int64_t matched = 0;
  std::int64_t modified = 0;
  std::optional<Ejson> upserted_id;
};

struct FindAndModifyQuery {
  EjsonDocument filter;
  EjsonDocument sort;
  EjsonDocument projection;
  std::optional<Ejson> update;  ///< Nothing: the document is removed.
  EjsonArray array_filters;
  bool upsert = false;
  bool return_new = false;
  EjsonDocument guard;
  const DocumentGate* gate = nullptr;  ///< What is answered is what it shows.
};

struct IndexDefinition {
  std::string name;
  EjsonDocument keys;
  bool unique = false;
};

/// What happened to one document, in the order of commits of its collection (client-api.md 14).
struct ChangeEvent {
  enum class Kind {
    insert,
    update,
    replace,
    remove,
    gap
  };  ///< `gap`: some were lost, since nobody took them.
  Kind kind = Kind::insert;
  CollectionName where;
  Ejson document_id;
  EjsonDocument full_document;  ///< Empty for `remove`.
  EjsonDocument before;  ///< As it was, so that rules can be asked; empty for `insert`. Not for clients.
  /// Of an update, where the store knows what was changed and not how the document was (`before` is empty).
  std::optional<EjsonDocument> description = std::nullopt;
  std::optional<Error> fault = std::nullopt;  ///< Of a `gap`: why no more will come, where that is known.
};

/// Documents of an app.
///
/// Each member is one atomic step, durable when it returns. Thread safety: all members. Errors:
/// `MongoDBError` 400 for what a database refuses ("Duplicate key error", an operator outside the subset),
/// `NoMatchingRuleFound` for a violated guard or what a gate refuses (nothing is changed then),
/// `ReadSizeLimitExceeded`, `ServiceUnavailable` for a fault of storage.
class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  virtual Result<std::vector<EjsonDocument>> find(const CollectionName& where, const FindQuery& query) = 0;
  virtual Result<std::int64_t> count(const CollectionName& where, const EjsonDocument& filter,
                                     std::int64_t limit, const DocumentGate* gate) = 0;
  virtual Result<std::vector<EjsonDocument>> aggregate(const CollectionName& where,
                                                       const AggregateQuery& query) = 0;
  /// The collections that a pipeline reads besides its own; nothing: as `documents::Pipeline` says.
  virtual Result<std::optional<std::vector<std::string>>> foreign_collections(
      const EjsonArray& /*pipeline*/) {
    return std::optional<std::vector<std::string>>();
  }
  /// The values of a field; nothing: the store has no better way than `find`.
  virtual Result<std::optional<EjsonArray>> distinct(const CollectionName& /*where*/,
                                                     std::string_view /*field*/,
                                                     const EjsonDocument& /*filter*/,
                                                     const DocumentGate* /*gate*/) {
    return std::optional<EjsonArray>();
  }
  /// Answers the ids (made where missing), or the first fault that lies in a document (its `_id`, a unique
  /// index, a schema); the documents without one are inserted then, in one step, as far as `ordered` says.
  /// The gate is asked about all of them first: when the caller may not insert one, none is inserted.
  virtual Result<EjsonArray> insert(const CollectionName& where, InsertQuery query) = 0;
  virtual Result<UpdateResult> update(const CollectionName& where, const UpdateQuery& query) = 0;
  virtual Result<std::optional<EjsonDocument>> find_and_modify(const CollectionName& where,
                                                               const FindAndModifyQuery& query) = 0;
  virtual Result<std::int64_t> remove(const CollectionName& where, const EjsonDocument& filter, bool many,
                                      const DocumentGate* gate) = 0;

  virtual Result<void> create_index(const CollectionName& where, const IndexDefinition& index) = 0;
  virtual Result<std::vector<IndexDefinition>> indexes(const CollectionName& where) = 0;
  virtual Result<bool> drop_index(const CollectionName& where, std::string_view name) = 0;

  /// Calls the observer for each committed change of the collection from now on, on a thread of the store's,
  /// until the returned registration is destroyed.
  using ChangeObserver = std::function<void(const ChangeEvent&)>;
  [[nodiscard]] virtual std::shared_ptr<void> watch(const CollectionName& where, ChangeObserver observer) = 0;

  /// The same where watching may be refused.
  [[nodiscard]] virtual Result<std::shared_ptr<void>> start_watch(const CollectionName& where,
                                                                  ChangeObserver observer) {
    return watch(where, std::move(observer));
  }

  /// Removes every document of an app.
  virtual Result<void> remove_app(std::string_view app_id) = 0;
};

}  // namespace keyturn::server

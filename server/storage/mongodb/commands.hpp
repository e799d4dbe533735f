// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/domain/data/document_store.hpp"
#include "server/storage/mongodb/bson_value.hpp"
#include "server/storage/mongodb/cluster.hpp"

namespace keyturn::server::mongodb {

/// The commands on one collection, through one client, in a session where one is given.
///
/// Thread safety: one thread. Lifetime: not beyond the cluster, the client and the session. Errors: those of
/// `Cluster::fault`; `MongoDBError` for names that no database or collection has; `ReadSizeLimitExceeded`
/// when one operation reads more than 64 MiB.
class Commands {
 public:
  Commands(Cluster& cluster, mongoc_client_t* client, const CollectionName& where,
           mongoc_client_session_t* session = nullptr)
      : cluster_(cluster),
        session_(session),
        database_(where.database),
        collection_(mongoc_client_get_collection(client, where.database.c_str(), where.collection.c_str())) {}

  /// Takes one document; false: no more are wanted.
  using Take = std::function<bool(EjsonDocument)>;
  /// `options`: `projection`, `sort`, `skip`, `limit`.
  Result<void> find(const EjsonDocument& filter, EjsonDocument options, const Take& take);
  Result<void> aggregate(const EjsonArray& pipeline, const Take& take);
  Result<std::int64_t> count(const EjsonDocument& filter, std::int64_t limit);
  Result<EjsonArray> distinct(std::string_view field, const EjsonDocument& filter);
  /// In order, up to the first fault.
  Result<void> insert(const std::vector<EjsonDocument>& documents, bool ordered);
  Result<UpdateResult> update(const EjsonDocument& filter, const UpdateQuery& query);
  /// Without the gate and the guard.
  Result<std::optional<EjsonDocument>> find_and_modify(const FindAndModifyQuery& query);
  Result<std::int64_t> remove(const EjsonDocument& filter, bool many);

  Result<void> create_index(const IndexDefinition& index);
  Result<std::vector<IndexDefinition>> indexes();
  Result<bool> drop_index(const std::string& name);

  /// Whether the last fault was one after which a whole transaction is to be tried again.
  [[nodiscard]] bool is_transient() const noexcept { return is_transient_; }
  [[nodiscard]] mongoc_collection_t* collection() const noexcept { return collection_.get(); }

 private:
  struct DestroyCollection {
    void operator()(mongoc_collection_t* collection) const noexcept { mongoc_collection_destroy(collection); }
  };
  Result<Bson> options_of(const EjsonDocument& options);
  Result<void> drain(mongoc_cursor_t* cursor, const Take& take);
  Error failed(const bson_error_t& error, const bson_t* reply);
  Result<EjsonDocument> finish(bool done, const bson_error_t& error, const Reply& reply);
  [[nodiscard]] std::int64_t most_milliseconds() const;

  Cluster& cluster_;
  mongoc_client_session_t* session_;
  std::string database_;
  std::unique_ptr<mongoc_collection_t, DestroyCollection> collection_;
  bool is_transient_ = false;
};

/// Errors: `MongoDBError` for a name that would mean another collection on the wire, or one that clients have
/// no business with (`rules_apply`).
[[nodiscard]] Result<void> check_name(const CollectionName& where, bool rules_apply);

/// An update without operators replaces the document.
[[nodiscard]] bool is_replacement(const Ejson& update);

}  // namespace keyturn::server::mongodb

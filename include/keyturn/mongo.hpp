// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <keyturn/base/pending.hpp>
#include <keyturn/ejson.hpp>
#include <keyturn/mongo_watch.hpp>

namespace keyturn {

namespace sdk {
class UserCore;
}

struct FindOptions {
  std::optional<std::int64_t> limit{};  ///< Not used by `find_one`.
  EjsonDocument projection{};           ///< Empty: whole documents.
  EjsonDocument sort{};                 ///< Empty: in no particular order.
};

struct UpdateOptions {
  bool upsert = false;  ///< Inserts a document when the query finds none.
  /// Which elements `$[name]` in the update stands for; each a query on `name`.
  std::vector<EjsonDocument> array_filters{};
};

struct FindAndModifyOptions {
  EjsonDocument projection{};
  EjsonDocument sort{};              ///< Which of several documents is meant: the first.
  bool upsert = false;               ///< Not used by `find_one_and_delete`.
  bool return_new_document = false;  ///< The document after the change; not used by `find_one_and_delete`.
};

struct InsertOneResult {
  Ejson inserted_id;
};
struct InsertManyResult {
  std::vector<Ejson> inserted_ids;  ///< In the order of the documents.
};
struct UpdateResult {
  std::int64_t matched_count = 0;
  std::int64_t modified_count = 0;
  std::optional<Ejson> upserted_id;  ///< Set when a document was inserted.
};
struct DeleteResult {
  std::int64_t deleted_count = 0;
};

/// The documents of one collection, as the user may see and change them (client-api.md 13). Arguments travel
/// as canonical Extended JSON, so that every type arrives as it was given.
///
/// Thread safety, lifetime, cancellation: as `User`.
/// Errors, besides those of every call of a `User`: `NoMatchingRuleFound` when no rule lets the user do this,
/// `MongoDBError` for what the database refuses, `ServiceNotFound`, `FunctionExecutionError`,
/// `InvalidServerResponse`. A write whose answer was lost (`NetworkError`, `DeadlineExceeded`) may have taken
/// effect; it is not repeated by itself, except after a 401, which says that nothing was done.
class MongoCollection {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  Pending<std::vector<EjsonDocument>> find(EjsonDocument query = {}, FindOptions options = {}) const;
  /// The first document that the query finds; nothing when there is none.
  Pending<std::optional<EjsonDocument>> find_one(EjsonDocument query = {}, FindOptions options = {}) const;
  /// How many documents the query finds, `limit` at most.
  Pending<std::int64_t> count(EjsonDocument query = {}, std::optional<std::int64_t> limit = {}) const;
  Pending<std::vector<EjsonDocument>> aggregate(std::vector<EjsonDocument> pipeline) const;

  /// A document without an `_id` gets an ObjectId. Errors: `MongoDBError` for an `_id` that exists.
  Pending<InsertOneResult> insert_one(EjsonDocument document) const;
  /// The same; the documents before the one at fault are inserted.
  Pending<InsertManyResult> insert_many(std::vector<EjsonDocument> documents) const;

  /// Changes the first document that the query finds: `update` has operators (`{"$set", ...}`), or is a whole
  /// document that takes its place and keeps its `_id`.
  Pending<UpdateResult> update_one(EjsonDocument query, EjsonDocument update,
                                   UpdateOptions options = {}) const;
  /// The same for every document that the query finds; operators only.
  Pending<UpdateResult> update_many(EjsonDocument query, EjsonDocument update,
                                    UpdateOptions options = {}) const;
  Pending<DeleteResult> delete_one(EjsonDocument query) const;
  Pending<DeleteResult> delete_many(EjsonDocument query) const;

  /// Changes one document and gives it as it was, or as it is then; nothing when the query found none.
  Pending<std::optional<EjsonDocument>> find_one_and_update(EjsonDocument query, EjsonDocument update,
                                                            FindAndModifyOptions options = {}) const;
  Pending<std::optional<EjsonDocument>> find_one_and_replace(EjsonDocument query, EjsonDocument replacement,
                                                             FindAndModifyOptions options = {}) const;
  Pending<std::optional<EjsonDocument>> find_one_and_delete(EjsonDocument query,
                                                            FindAndModifyOptions options = {}) const;

  /// Follows the changes of the collection; see `WatchStream`. The answer comes when the server has begun to
  /// watch: a change made after it is told. Errors of the start: those of every call. A passing fault is
  /// answered, too (`retry_later`), and nothing is watched then.
  Pending<WatchStream> watch(WatchObserver observer, WatchFilter filter = {}) const;

 private:
  friend class MongoDatabase;
  MongoCollection(std::shared_ptr<sdk::UserCore> core, std::string service, std::string database,
                  std::string name)
      : core_(std::move(core)),
        service_(std::move(service)),
        database_(std::move(database)),
        name_(std::move(name)) {}

  template <class T, class Read>
  Pending<T> act(const char* action, EjsonDocument more, Read read) const;

  std::shared_ptr<sdk::UserCore> core_;
  std::string service_;
  std::string database_;
  std::string name_;
};

/// A database of a linked service. Thread safety, lifetime: as `User`.
class MongoDatabase {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] MongoCollection collection(std::string name) const {
    return {core_, service_, name_, std::move(name)};
  }

 private:
  friend class MongoClient;
  MongoDatabase(std::shared_ptr<sdk::UserCore> core, std::string service, std::string name)
      : core_(std::move(core)), service_(std::move(service)), name_(std::move(name)) {}

  std::shared_ptr<sdk::UserCore> core_;
  std::string service_;
  std::string name_;
};

/// A linked service of the app ("mongodb-atlas"), as its user reaches it. No network I/O by itself. Thread
/// safety, lifetime: as `User`.
class MongoClient {
 public:
  [[nodiscard]] MongoDatabase database(std::string name) const { return {core_, service_, std::move(name)}; }

 private:
  friend class User;
  MongoClient(std::shared_ptr<sdk::UserCore> core, std::string service)
      : core_(std::move(core)), service_(std::move(service)) {}

  std::shared_ptr<sdk::UserCore> core_;
  std::string service_;
};

}  // namespace keyturn

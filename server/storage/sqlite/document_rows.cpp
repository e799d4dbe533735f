// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/document_rows.hpp"

#include <algorithm>
#include <set>

#include "core/ejson/bson.hpp"
#include "server/domain/documents/equality_key.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/sort_key.hpp"

namespace keyturn::server::sqlite {
namespace {

using documents::Filter;

EjsonDocument read_body(Connection& sql, std::string_view bytes) {
  auto document = ejson::from_bson(bytes);
  if (!document) {
    sql.fail("a stored document is damaged");
    return {};
  }
  return std::move(*document);
}

Error duplicate(std::string_view what) {
  return {ErrorCode::MongoDBError,
          "Duplicate key error: a document with this " + std::string(what) + " exists"};
}

// Every value by which an equality on the path could find the document, as Filter compares them.
std::set<std::string> lookup_keys(const EjsonDocument& document, const documents::Path& path) {
  std::set<std::string> keys;
  documents::walk(document, path, [&](const Ejson* value, std::optional<std::size_t>) {
    keys.insert(documents::equality_key(value == nullptr ? Ejson() : *value));
    const auto* array = value == nullptr ? nullptr : value->get_if<EjsonArray>();
    if (array != nullptr) {
      for (const Ejson& element : *array) keys.insert(documents::equality_key(element));
    }
    return false;
  });
  return keys;
}

// In front of a key, which begins with a letter: of what a unique index must find but may hold twice.
constexpr char kNotUnique = '\x01';
// The key of an empty array, which is not that of null.
constexpr std::string_view kEmptyArray = "\x02";

// Every value that no other document may have under a unique index.
std::set<std::string> unique_keys(const EjsonDocument& document, const documents::Path& path) {
  std::set<std::string> keys;
  for (const Ejson& value : documents::index_values(document, path)) {
    const bool is_empty = value.get_if<BsonUndefined>() != nullptr;
    keys.insert(is_empty ? std::string(kEmptyArray) : documents::equality_key(value));
  }
  return keys;
}

// Places of the documents that may match, in natural order; nothing when the filter names no value for an
// index.
std::optional<std::set<std::int64_t>> candidates(Connection& sql, std::int64_t collection,
                                                 const Filter& filter) {
  const auto& equalities = filter.equality_candidates();
  const auto gather = [](Query& query, std::set<std::int64_t>& places) {
    while (query.row()) places.insert(query.integer(0));
  };
  for (const auto& [path, values] : equalities) {
    if (path != "_id") continue;
    std::set<std::int64_t> places;
    for (const Ejson& value : values) {
      const std::string key = documents::equality_key(value);
      Query query = sql.query("SELECT place FROM collection_documents WHERE collection = ?1 AND id_key = ?2",
                              collection, Blob{key});
      gather(query, places);
    }
    return places;
  }
  for (const StoredIndex& index :
       equalities.empty() ? std::vector<StoredIndex>{} : read_indexes(sql, collection)) {
    for (const auto& [path, values] : equalities) {
      if (path != index.path) continue;
      std::set<std::int64_t> places;
      for (const Ejson& value : values) {
        const std::string key = documents::equality_key(value);
        const std::string not_unique = kNotUnique + key;
        Query query = sql.query(
            "SELECT place FROM document_index_entries WHERE index_id = ?1 AND value_key IN (?2, ?3)",
            index.id, Blob{key}, Blob{not_unique});
        gather(query, places);
      }
      return places;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> find_collection(Connection& sql, const CollectionName& where, bool make) {
  if (make) {
    sql.run(
        "INSERT INTO collections (app_id, service, database, name) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO "
        "NOTHING",
        where.app_id, where.service, where.database, where.collection);
  }
  Query query = sql.query(
      "SELECT id FROM collections WHERE app_id = ?1 AND service = ?2 AND database = ?3 AND name = ?4",
      where.app_id, where.service, where.database, where.collection);
  if (!query.row()) return std::nullopt;
  return query.integer(0);
}

std::vector<StoredIndex> read_indexes(Connection& sql, std::int64_t collection) {
  std::vector<StoredIndex> indexes;
  Query query = sql.query(
      "SELECT id, name, path, keys, only_once FROM document_indexes WHERE collection = ?1 ORDER BY id",
      collection);
  while (query.row()) {
    auto keys = Ejson::parse(query.view(3));
    if (!keys || keys->get_if<EjsonDocument>() == nullptr) {
      sql.fail("a stored index is damaged");
      break;
    }
    indexes.push_back(
        {query.integer(0), {query.text(1), *keys->get_if<EjsonDocument>(), query.flag(4)}, query.text(2)});
  }
  return indexes;
}

void scan(Connection& sql, std::int64_t collection, const Filter& filter,
          const std::function<bool(StoredDocument, const Filter::Match&)>& take) {
  const auto offer = [&](std::int64_t place, std::string_view body) {
    StoredDocument stored{place, read_body(sql, body)};
    const Filter::Match match = filter.match(stored.document);
    return !match.matches || take(std::move(stored), match);
  };
  if (const auto places = candidates(sql, collection, filter)) {
    for (const std::int64_t place : *places) {
      Query query = sql.query("SELECT body FROM collection_documents WHERE place = ?1 AND collection = ?2",
                              place, collection);
      if (query.row() && !offer(place, query.view(0))) return;
    }
    return;
  }
  Query query = sql.query("SELECT place, body FROM collection_documents WHERE collection = ?1 ORDER BY place",
                          collection);
  while (query.row()) {
    if (!offer(query.integer(0), query.view(1))) return;
  }
}

Result<void> add_index_entries(Connection& sql, const StoredIndex& index, std::int64_t place,
                               const EjsonDocument& document) {
  const documents::Path path(index.path);
  const auto add = [&](const std::string& key) {
    sql.run("INSERT INTO document_index_entries (index_id, value_key, place) VALUES (?1, ?2, ?3)", index.id,
            Blob{key}, place);
  };
  std::set<std::string> unique;
  if (index.definition.unique) unique = unique_keys(document, path);
  for (const std::string& key : unique) {
    {
      Query other = sql.query(
          "SELECT 1 FROM document_index_entries WHERE index_id = ?1 AND value_key = ?2 AND place <> ?3 LIMIT "
          "1",
          index.id, Blob{key}, place);
      if (other.row()) return duplicate(index.path);
    }
    add(key);
  }
  for (const std::string& key : lookup_keys(document, path)) {
    if (unique.contains(key)) continue;
    add(index.definition.unique ? kNotUnique + key : key);
  }
  return {};
}

Result<std::int64_t> put_document(Connection& sql, std::int64_t collection,
                                  const std::vector<StoredIndex>& indexes, std::int64_t place,
                                  const EjsonDocument& document) {
  auto body = ejson::to_bson(document);
  if (!body) return Error(ErrorCode::MongoDBError, body.error().message);
  if (place == 0) {
    const std::string key = documents::equality_key(*document.find("_id"));
    {
      Query there = sql.query("SELECT 1 FROM collection_documents WHERE collection = ?1 AND id_key = ?2",
                              collection, Blob{key});
      if (there.row()) return duplicate("_id");
    }
    Query added = sql.query(
        "INSERT INTO collection_documents (collection, id_key, body) VALUES (?1, ?2, ?3) RETURNING place",
        collection, Blob{key}, Blob{*body});
    if (added.row()) place = added.integer(0);
    while (added.row()) {
    }
  } else {
    sql.run("UPDATE collection_documents SET body = ?2 WHERE place = ?1", place, Blob{*body});
    if (!indexes.empty()) sql.run("DELETE FROM document_index_entries WHERE place = ?1", place);
  }
  for (const StoredIndex& index : indexes) {
    const auto added = add_index_entries(sql, index, place, document);
    if (!added) return added.error();
  }
  return place;
}

void remove_document(Connection& sql, std::int64_t place) {
  sql.run("DELETE FROM collection_documents WHERE place = ?1", place);
}

}  // namespace keyturn::server::sqlite

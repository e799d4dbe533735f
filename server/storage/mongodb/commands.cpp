// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/commands.hpp"

#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server::mongodb {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} * 1024 * 1024;
constexpr std::size_t kLongestDatabaseName = 63;
constexpr std::uint32_t kNamespaceNotFound = 26;
constexpr std::uint32_t kIndexNotFound = 27;

struct DestroyCursor {
  void operator()(mongoc_cursor_t* cursor) const noexcept { mongoc_cursor_destroy(cursor); }
};
struct DestroyBulk {
  void operator()(mongoc_bulk_operation_t* bulk) const noexcept { mongoc_bulk_operation_destroy(bulk); }
};
struct DestroyModification {
  void operator()(mongoc_find_and_modify_opts_t* options) const noexcept {
    mongoc_find_and_modify_opts_destroy(options);
  }
};

Error cannot_be(std::string text) { return refusal(ErrorCode::MongoDBError, std::move(text)); }

/// BSON that the server keeps and `Ejson` has no place for.
Error unreadable() {
  return cannot_be("a document of the linked cluster holds a value of a type that is not supported");
}

std::int64_t number_at(const EjsonDocument& document, std::string_view name) {
  const Ejson* value = document.find(name);
  return value == nullptr ? 0 : value->to_int64().value_or(0);
}

/// The library joins the texts of the faults of several documents; drivers tell the first.
bson_error_t first_fault(bson_error_t joined, const bson_t& reply) {
  bson_iter_t at;
  bson_iter_t first;
  if (!bson_iter_init(&at, &reply) || !bson_iter_find_descendant(&at, "writeErrors.0.code", &first))
    return joined;
  const auto code = static_cast<std::uint32_t>(bson_iter_as_int64(&first));
  if (!bson_iter_init(&at, &reply) || !bson_iter_find_descendant(&at, "writeErrors.0.errmsg", &first))
    return joined;
  const char* const text = bson_iter_utf8(&first, nullptr);
  if (text != nullptr) bson_set_error(&joined, joined.domain, code, "%s", text);
  return joined;
}

}  // namespace

Result<void> check_name(const CollectionName& where, bool rules_apply) {
  const std::string& database = where.database;
  const std::string& collection = where.collection;
  if (database.empty() || database.size() > kLongestDatabaseName ||
      database.find_first_of(std::string_view("\0./\\\"$ ", 7)) != std::string::npos) {
    return cannot_be("Invalid database name");
  }
  if (collection.empty() || collection.front() == '.' ||
      collection.find_first_of(std::string_view("\0$", 2)) != std::string::npos) {
    return cannot_be("Invalid collection name");
  }
  const bool is_own = database == "admin" || database == "config" || database == "local" ||
                      collection.compare(0, 7, "system.") == 0;
  if (rules_apply && is_own) return cannot_be("the collections of the cluster itself are not for clients");
  return {};
}

bool is_replacement(const Ejson& update) {
  const auto* members = update.get_if<EjsonDocument>();
  return members != nullptr && (members->empty() || members->begin()->first.compare(0, 1, "$") != 0);
}

std::int64_t Commands::most_milliseconds() const { return cluster_.options().answer.count(); }

Error Commands::failed(const bson_error_t& error, const bson_t* reply) {
  is_transient_ = reply != nullptr && mongoc_error_has_label(reply, "TransientTransactionError");
  return cluster_.fault(error);
}

Result<Bson> Commands::options_of(const EjsonDocument& options) {
  auto made = bson_of(options);
  if (!made || session_ == nullptr) return made;
  bson_error_t error{};
  if (!mongoc_client_session_append(session_, made->get(), &error)) return failed(error, nullptr);
  return made;
}

Result<EjsonDocument> Commands::finish(bool done, const bson_error_t& error, const Reply& reply) {
  if (!done) return failed(error, &reply.get());
  auto read = document_of(reply.get());
  if (!read) return unreadable();
  return read;
}

Result<void> Commands::drain(mongoc_cursor_t* raw, const Take& take) {
  const std::unique_ptr<mongoc_cursor_t, DestroyCursor> cursor(raw);
  const bson_t* each = nullptr;
  std::size_t bytes = 0;
  while (mongoc_cursor_next(cursor.get(), &each)) {
    bytes += each->len;
    if (bytes > kMostBytes) {
      return refusal(ErrorCode::ReadSizeLimitExceeded, "the operation reads more than 64 MiB");
    }
    auto document = document_of(*each);
    if (!document) return unreadable();
    if (!take(std::move(*document))) return {};
  }
  bson_error_t error{};
  const bson_t* reply = nullptr;
  if (mongoc_cursor_error_document(cursor.get(), &error, &reply)) return failed(error, reply);
  return {};
}

Result<void> Commands::find(const EjsonDocument& filter, EjsonDocument options, const Take& take) {
  options.set("maxTimeMS", most_milliseconds());
  auto query = bson_of(filter);
  if (!query) return query.error();
  auto made = options_of(options);
  if (!made) return made.error();
  return drain(mongoc_collection_find_with_opts(collection_.get(), query->get(), made->get(), nullptr), take);
}

Result<void> Commands::aggregate(const EjsonArray& pipeline, const Take& take) {
  auto stages = bson_of(EjsonDocument{{"pipeline", pipeline}});
  if (!stages) return stages.error();
  auto made = options_of({{"maxTimeMS", most_milliseconds()}});
  if (!made) return made.error();
  return drain(
      mongoc_collection_aggregate(collection_.get(), MONGOC_QUERY_NONE, stages->get(), made->get(), nullptr),
      take);
}

Result<std::int64_t> Commands::count(const EjsonDocument& filter, std::int64_t limit) {
  auto query = bson_of(filter);
  if (!query) return query.error();
  EjsonDocument options{{"maxTimeMS", most_milliseconds()}};
  if (limit > 0) options.append("limit", limit);
  auto made = options_of(options);
  if (!made) return made.error();
  Reply reply;
  bson_error_t error{};
  const std::int64_t counted = mongoc_collection_count_documents(collection_.get(), query->get(), made->get(),
                                                                 nullptr, reply.out(), &error);
  if (counted < 0) return failed(error, &reply.get());
  return counted;
}

Result<EjsonArray> Commands::distinct(std::string_view field, const EjsonDocument& filter) {
  auto command = bson_of({{"distinct", mongoc_collection_get_name(collection_.get())},
                          {"key", field},
                          {"query", filter},
                          {"maxTimeMS", most_milliseconds()}});
  if (!command) return command.error();
  Reply reply;
  bson_error_t error{};
  const bool done = mongoc_collection_read_command_with_opts(collection_.get(), command->get(), nullptr,
                                                             nullptr, reply.out(), &error);
  auto read = finish(done, error, reply);
  if (!read) return read.error();
  Ejson* values = read->find("values");
  auto* list = values == nullptr ? nullptr : values->get_if<EjsonArray>();
  return list == nullptr ? EjsonArray() : std::move(*list);
}

Result<void> Commands::insert(const std::vector<EjsonDocument>& documents, bool ordered) {
  auto made = options_of({{"ordered", ordered}});
  if (!made) return made.error();
  const std::unique_ptr<mongoc_bulk_operation_t, DestroyBulk> bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection_.get(), made->get()));
  bson_error_t error{};
  for (const EjsonDocument& each : documents) {
    auto document = bson_of(each);
    if (!document) return document.error();
    if (!mongoc_bulk_operation_insert_with_opts(bulk.get(), document->get(), nullptr, &error))
      return failed(error, nullptr);
  }
  Reply reply;
  if (mongoc_bulk_operation_execute(bulk.get(), reply.out(), &error) != 0) return {};
  return failed(first_fault(error, reply.get()), &reply.get());
}

Result<UpdateResult> Commands::update(const EjsonDocument& filter, const UpdateQuery& query) {
  const auto* change = query.update.get_if<EjsonDocument>();
  if (change == nullptr) return cannot_be("an update must be a document");
  const bool replaces = is_replacement(query.update);
  if (replaces && query.many) return cannot_be("multi update is not supported for replacement-style update");
  auto selector = bson_of(filter);
  if (!selector) return selector.error();
  auto update = bson_of(*change);
  if (!update) return update.error();
  EjsonDocument options;
  if (query.upsert) options.append("upsert", true);
  if (!query.array_filters.empty() && !replaces) options.append("arrayFilters", query.array_filters);
  auto made = options_of(options);
  if (!made) return made.error();
  const auto act = replaces     ? mongoc_collection_replace_one
                   : query.many ? mongoc_collection_update_many
                                : mongoc_collection_update_one;
  Reply reply;
  bson_error_t error{};
  const bool done = act(collection_.get(), selector->get(), update->get(), made->get(), reply.out(), &error);
  auto read = finish(done, error, reply);
  if (!read) return read.error();
  UpdateResult result{number_at(*read, "matchedCount"), number_at(*read, "modifiedCount"), std::nullopt};
  if (Ejson* id = read->find("upsertedId")) result.upserted_id = std::move(*id);
  return result;
}

Result<std::optional<EjsonDocument>> Commands::find_and_modify(const FindAndModifyQuery& query) {
  auto filter = bson_of(query.filter);
  if (!filter) return filter.error();
  const std::unique_ptr<mongoc_find_and_modify_opts_t, DestroyModification> options(
      mongoc_find_and_modify_opts_new());
  auto sort = bson_of(query.sort);
  if (!sort) return sort.error();
  auto fields = bson_of(query.projection);
  if (!fields) return fields.error();
  if (!query.sort.empty()) mongoc_find_and_modify_opts_set_sort(options.get(), sort->get());
  if (!query.projection.empty()) mongoc_find_and_modify_opts_set_fields(options.get(), fields->get());
  EjsonDocument more;
  int flags = MONGOC_FIND_AND_MODIFY_NONE;
  if (query.update) {
    const auto* change = query.update->get_if<EjsonDocument>();
    if (change == nullptr) return cannot_be("an update must be a document");
    auto update = bson_of(*change);
    if (!update) return update.error();
    mongoc_find_and_modify_opts_set_update(options.get(), update->get());
    if (query.upsert) flags |= MONGOC_FIND_AND_MODIFY_UPSERT;
    if (query.return_new) flags |= MONGOC_FIND_AND_MODIFY_RETURN_NEW;
    if (!query.array_filters.empty()) more.append("arrayFilters", query.array_filters);
  } else {
    flags |= MONGOC_FIND_AND_MODIFY_REMOVE;
  }
  mongoc_find_and_modify_opts_set_flags(options.get(), static_cast<mongoc_find_and_modify_flags_t>(flags));
  auto made = options_of(more);
  if (!made) return made.error();
  mongoc_find_and_modify_opts_append(options.get(), made->get());
  Reply reply;
  bson_error_t error{};
  const bool done = mongoc_collection_find_and_modify_with_opts(collection_.get(), filter->get(),
                                                                options.get(), reply.out(), &error);
  auto read = finish(done, error, reply);
  if (!read) return read.error();
  Ejson* value = read->find("value");
  auto* document = value == nullptr ? nullptr : value->get_if<EjsonDocument>();
  if (document == nullptr) return std::optional<EjsonDocument>();
  return std::optional(std::move(*document));
}

Result<std::int64_t> Commands::remove(const EjsonDocument& filter, bool many) {
  auto selector = bson_of(filter);
  if (!selector) return selector.error();
  auto made = options_of({});
  if (!made) return made.error();
  const auto act = many ? mongoc_collection_delete_many : mongoc_collection_delete_one;
  Reply reply;
  bson_error_t error{};
  const bool done = act(collection_.get(), selector->get(), made->get(), reply.out(), &error);
  auto read = finish(done, error, reply);
  if (!read) return read.error();
  return number_at(*read, "deletedCount");
}

Result<void> Commands::create_index(const IndexDefinition& index) {
  EjsonDocument one{{"key", index.keys}, {"name", index.name}};
  if (index.unique) one.append("unique", true);
  auto command = bson_of({{"createIndexes", mongoc_collection_get_name(collection_.get())},
                          {"indexes", EjsonArray{Ejson(std::move(one))}}});
  if (!command) return command.error();
  Reply reply;
  bson_error_t error{};
  const bool done = mongoc_collection_write_command_with_opts(collection_.get(), command->get(), nullptr,
                                                              reply.out(), &error);
  auto read = finish(done, error, reply);
  if (!read) return read.error();
  return {};
}

Result<std::vector<IndexDefinition>> Commands::indexes() {
  std::vector<IndexDefinition> list;
  auto done = drain(mongoc_collection_find_indexes_with_opts(collection_.get(), nullptr),
                    [&](const EjsonDocument& each) {
                      IndexDefinition index;
                      const Ejson* name = each.find("name");
                      const Ejson* keys = each.find("key");
                      const Ejson* unique = each.find("unique");
                      if (name != nullptr && name->get_if<std::string>() != nullptr)
                        index.name = *name->get_if<std::string>();
                      if (keys != nullptr && keys->get_if<EjsonDocument>() != nullptr)
                        index.keys = *keys->get_if<EjsonDocument>();
                      index.unique = unique != nullptr && *unique == Ejson(true);
                      list.push_back(std::move(index));
                      return true;
                    });
  if (!done) return done.error();
  return list;
}

Result<bool> Commands::drop_index(const std::string& name) {
  if (name.find('\0') != std::string::npos || name == "*") return cannot_be("Invalid index name");
  bson_error_t error{};
  if (mongoc_collection_drop_index_with_opts(collection_.get(), name.c_str(), nullptr, &error)) return true;
  if (error.domain == MONGOC_ERROR_SERVER &&
      (error.code == kIndexNotFound || error.code == kNamespaceNotFound)) {
    return false;
  }
  return failed(error, nullptr);
}

}  // namespace keyturn::server::mongodb

// SPDX-License-Identifier: Apache-2.0
// Operations of client-api.md 13: one argument object out, one value back.
#include <utility>

#include <keyturn/mongo.hpp>

#include "sdk/app/function_call.hpp"

namespace keyturn {
namespace {

using Documents = std::vector<EjsonDocument>;
using MaybeDocument = std::optional<EjsonDocument>;

Error unexpected(const char* what) {
  return {ErrorCode::InvalidServerResponse, std::string("the answer has no ") + what};
}

Ejson array_of(std::vector<EjsonDocument> documents) {
  EjsonArray out;
  out.reserve(documents.size());
  for (EjsonDocument& document : documents) out.emplace_back(std::move(document));
  return out;
}

void set_unless_empty(EjsonDocument& arguments, const char* name, EjsonDocument value) {
  if (!value.empty()) arguments.set(name, std::move(value));
}

Result<Documents> read_documents(Ejson value) {
  auto* list = value.get_if<EjsonArray>();
  if (list == nullptr) return unexpected("list of documents");
  Documents out;
  out.reserve(list->size());
  for (Ejson& each : *list) {
    auto* document = each.get_if<EjsonDocument>();
    if (document == nullptr) return unexpected("list of documents");
    out.push_back(std::move(*document));
  }
  return out;
}

Result<MaybeDocument> read_document(Ejson value) {
  if (value.is_null() || value.get_if<BsonUndefined>() != nullptr) return MaybeDocument();
  auto* document = value.get_if<EjsonDocument>();
  if (document == nullptr) return unexpected("document");
  return MaybeDocument(std::move(*document));
}

std::optional<std::int64_t> number_at(const Ejson& value, std::string_view name) {
  const Ejson* member = value.find(name);
  return member == nullptr ? std::nullopt : member->to_int64();
}

Result<UpdateResult> read_update(const Ejson& value) {
  const auto matched = number_at(value, "matchedCount");
  const auto modified = number_at(value, "modifiedCount");
  if (!matched || !modified) return unexpected("counts");
  UpdateResult out{*matched, *modified, std::nullopt};
  if (const Ejson* id = value.find("upsertedId"); id != nullptr && !id->is_null()) out.upserted_id = *id;
  return out;
}

Result<DeleteResult> read_delete(const Ejson& value) {
  const auto deleted = number_at(value, "deletedCount");
  if (!deleted) return unexpected("count");
  return DeleteResult{*deleted};
}

EjsonDocument modify_arguments(EjsonDocument query, FindAndModifyOptions options) {
  EjsonDocument arguments{{"filter", std::move(query)}};
  set_unless_empty(arguments, "sort", std::move(options.sort));
  set_unless_empty(arguments, "projection", std::move(options.projection));
  if (options.upsert) arguments.set("upsert", true);
  if (options.return_new_document) arguments.set("returnNewDocument", true);
  return arguments;
}

EjsonDocument find_arguments(EjsonDocument query, FindOptions options) {
  EjsonDocument arguments{{"query", std::move(query)}};
  set_unless_empty(arguments, "project", std::move(options.projection));
  set_unless_empty(arguments, "sort", std::move(options.sort));
  if (options.limit) arguments.set("limit", *options.limit);
  return arguments;
}

EjsonDocument update_arguments(EjsonDocument query, EjsonDocument update, UpdateOptions options) {
  EjsonDocument arguments{{"query", std::move(query)}, {"update", std::move(update)}};
  if (options.upsert) arguments.set("upsert", true);
  if (!options.array_filters.empty())
    arguments.set("arrayFilters", array_of(std::move(options.array_filters)));
  return arguments;
}

}  // namespace

/// One action on the collection.
template <class T, class Read>
Pending<T> MongoCollection::act(const char* action, EjsonDocument more, Read read) const {
  EjsonDocument arguments{{"database", database_}, {"collection", name_}};
  for (const auto& [name, value] : more) arguments.append(name, value);
  return sdk::call_typed<T>(*core_, action, EjsonArray{std::move(arguments)}, service_, std::move(read));
}

Pending<Documents> MongoCollection::find(EjsonDocument query, FindOptions options) const {
  return act<Documents>("find", find_arguments(std::move(query), std::move(options)), read_documents);
}

Pending<MaybeDocument> MongoCollection::find_one(EjsonDocument query, FindOptions options) const {
  options.limit.reset();
  return act<MaybeDocument>("findOne", find_arguments(std::move(query), std::move(options)), read_document);
}

Pending<std::int64_t> MongoCollection::count(EjsonDocument query, std::optional<std::int64_t> limit) const {
  EjsonDocument arguments{{"query", std::move(query)}};
  if (limit) arguments.set("limit", *limit);
  return act<std::int64_t>("count", std::move(arguments), [](const Ejson& value) -> Result<std::int64_t> {
    const auto number = value.to_int64();
    if (!number) return unexpected("number");
    return *number;
  });
}

Pending<Documents> MongoCollection::aggregate(std::vector<EjsonDocument> pipeline) const {
  return act<Documents>("aggregate", {{"pipeline", array_of(std::move(pipeline))}}, read_documents);
}

Pending<InsertOneResult> MongoCollection::insert_one(EjsonDocument document) const {
  return act<InsertOneResult>("insertOne", {{"document", std::move(document)}},
                              [](const Ejson& value) -> Result<InsertOneResult> {
                                const Ejson* id = value.find("insertedId");
                                if (id == nullptr) return unexpected("insertedId");
                                return InsertOneResult{*id};
                              });
}

Pending<InsertManyResult> MongoCollection::insert_many(std::vector<EjsonDocument> documents) const {
  return act<InsertManyResult>("insertMany", {{"documents", array_of(std::move(documents))}},
                               [](const Ejson& value) -> Result<InsertManyResult> {
                                 const Ejson* ids = value.find("insertedIds");
                                 const auto* list = ids == nullptr ? nullptr : ids->get_if<EjsonArray>();
                                 if (list == nullptr) return unexpected("insertedIds");
                                 return InsertManyResult{*list};
                               });
}

Pending<UpdateResult> MongoCollection::update_one(EjsonDocument query, EjsonDocument update,
                                                  UpdateOptions options) const {
  return act<UpdateResult>(
      "updateOne", update_arguments(std::move(query), std::move(update), std::move(options)), read_update);
}

Pending<UpdateResult> MongoCollection::update_many(EjsonDocument query, EjsonDocument update,
                                                   UpdateOptions options) const {
  return act<UpdateResult>(
      "updateMany", update_arguments(std::move(query), std::move(update), std::move(options)), read_update);
}

Pending<DeleteResult> MongoCollection::delete_one(EjsonDocument query) const {
  return act<DeleteResult>("deleteOne", {{"query", std::move(query)}}, read_delete);
}

Pending<DeleteResult> MongoCollection::delete_many(EjsonDocument query) const {
  return act<DeleteResult>("deleteMany", {{"query", std::move(query)}}, read_delete);
}

Pending<MaybeDocument> MongoCollection::find_one_and_update(EjsonDocument query, EjsonDocument update,
                                                            FindAndModifyOptions options) const {
  EjsonDocument arguments = modify_arguments(std::move(query), std::move(options));
  arguments.set("update", std::move(update));
  return act<MaybeDocument>("findOneAndUpdate", std::move(arguments), read_document);
}

Pending<MaybeDocument> MongoCollection::find_one_and_replace(EjsonDocument query, EjsonDocument replacement,
                                                             FindAndModifyOptions options) const {
  EjsonDocument arguments = modify_arguments(std::move(query), std::move(options));
  arguments.set("update", std::move(replacement));
  return act<MaybeDocument>("findOneAndReplace", std::move(arguments), read_document);
}

Pending<MaybeDocument> MongoCollection::find_one_and_delete(EjsonDocument query,
                                                            FindAndModifyOptions options) const {
  options.upsert = false;
  options.return_new_document = false;
  return act<MaybeDocument>("findOneAndDelete", modify_arguments(std::move(query), std::move(options)),
                            read_document);
}

}  // namespace keyturn

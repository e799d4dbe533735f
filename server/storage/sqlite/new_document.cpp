// SPDX-License-Identifier: Apache-2.0
#include "server/storage/sqlite/new_document.hpp"

#include "core/base/object_id.hpp"
#include "server/domain/documents/upsert_seed.hpp"

namespace keyturn::server::sqlite {

using documents::Filter;
using documents::Update;

Result<EjsonDocument> upserted(const Filter& filter, const Update& update, const DocumentContext& context) {
  auto seed = documents::upsert_seed(filter, update.is_replacement());
  if (!seed) return seed;
  return update.apply(*seed, {}, context.clock.wall_now(), true);
}

EjsonDocument with_id(EjsonDocument document, const DocumentContext& context) {
  const Ejson* given = document.find("_id");
  if (given != nullptr && document.begin()->first == "_id") return document;
  const Ejson id =
      given != nullptr
          ? *given
          : Ejson(*ObjectId::from_hex(make_object_id(context.clock.wall_now(), context.random_bytes(8))));
  EjsonDocument whole{{"_id", id}};
  for (const auto& [name, value] : document) {
    if (name != "_id") whole.append(name, value);
  }
  return whole;
}

Result<void> check_id(const EjsonDocument& document) {
  const Ejson& id = *document.find("_id");
  const bool unfit = id.get_if<EjsonArray>() != nullptr || id.get_if<BsonRegex>() != nullptr ||
                     id.get_if<BsonUndefined>() != nullptr;
  if (unfit)
    return Error(ErrorCode::MongoDBError, "The '_id' value cannot be of type array, regex or undefined");
  const auto* members = id.get_if<EjsonDocument>();
  for (const auto& member : members == nullptr ? EjsonDocument() : *members) {
    if (member.first.starts_with('$'))
      return Error(ErrorCode::MongoDBError, "_id fields may not contain '$'-prefixed fields: " +
                                                member.first + " is not valid for storage.");
  }
  return {};
}

}  // namespace keyturn::server::sqlite

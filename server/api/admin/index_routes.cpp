// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include <keyturn/ejson.hpp>

#include "server/api/documents.hpp"
#include "server/api/routes.hpp"
#include "server/domain/data/data_service.hpp"
#include "server/domain/refusal.hpp"

// Indexes of a collection of a linked service: Keyturn's own part of the admin API
// (docs/reference/documents.md).
namespace keyturn::server::api {
namespace {

constexpr std::size_t kLongestIndexName = 127;

Result<std::string> service_name(Call& call) {
  auto service = stored_document(call, "services", call.arguments[2]);
  if (!service) return service.error();
  const json::Value* name = service->find("name");
  if (call.services.data == nullptr || name == nullptr || name->as_string() == nullptr) {
    return document_not_found("services");
  }
  auto known = call.services.data->has_service(call.app->app, *name->as_string());
  if (!known) return known.error();
  if (!*known) return refusal(ErrorCode::BadRequest, "a service of this type has no indexes");
  return *name->as_string();
}

Result<CollectionName> collection_of(Call& call, std::string database, std::string collection) {
  if (database.empty() || collection.empty()) {
    return refusal(ErrorCode::BadRequest, "'database' and 'collection' are required");
  }
  auto service = service_name(call);
  if (!service) return service.error();
  return CollectionName{call.app_id(), std::move(*service), std::move(database), std::move(collection)};
}

Result<CollectionName> collection_of_query(Call& call) {
  return collection_of(call, call.parameter("database").value_or(""),
                       call.parameter("collection").value_or(""));
}

json::Object shown_index(const IndexDefinition& index) {
  json::Object keys;
  for (const auto& [path, direction] : index.keys) keys.set(path, direction.to_int64().value_or(1));
  return {{"name", index.name}, {"keys", std::move(keys)}, {"unique", index.unique}};
}

Result<Answer> list_indexes(Call& call) {
  auto where = collection_of_query(call);
  if (!where) return where.error();
  auto indexes = call.services.data->indexes(*where);
  if (!indexes) return indexes.error();
  json::Array out;
  for (const IndexDefinition& each : *indexes) out.emplace_back(shown_index(each));
  return json_answer(std::move(out));
}

Result<IndexDefinition> read_index(const Call& call) {
  const json::Value* keys = call.members().find("keys");
  if (keys == nullptr || keys->as_object() == nullptr || keys->as_object()->empty()) {
    return refusal(ErrorCode::BadRequest, "'keys' is a required object");
  }
  IndexDefinition index;
  std::string made_name;
  for (const auto& [path, direction] : *keys->as_object()) {
    if (direction.as_int() == nullptr) {
      return refusal(ErrorCode::BadRequest, "the direction of a key must be 1 or -1");
    }
    index.keys.append(path, Ejson(static_cast<std::int32_t>(*direction.as_int() < 0 ? -1 : 1)));
    if (*direction.as_int() != 1 && *direction.as_int() != -1) {
      return refusal(ErrorCode::BadRequest, "the direction of a key must be 1 or -1");
    }
    made_name += (made_name.empty() ? "" : "_") + path + "_" + std::to_string(*direction.as_int());
  }
  auto name = optional_text(call.members(), "name");
  if (!name) return name.error();
  index.name = name->empty() ? made_name : std::string(*name);
  if (index.name.size() > kLongestIndexName) return refusal(ErrorCode::BadRequest, "'name' is too long");
  const json::Value* unique = call.members().find("unique");
  if (unique != nullptr && !unique->is_null() && unique->as_bool() == nullptr) {
    return refusal(ErrorCode::BadRequest, "'unique' must be true or false");
  }
  index.unique = unique != nullptr && unique->as_bool() != nullptr && *unique->as_bool();
  return index;
}

Result<Answer> create_index(Call& call) {
  auto database = required_text(call.members(), "database");
  if (!database) return database.error();
  auto collection = required_text(call.members(), "collection");
  if (!collection) return collection.error();
  auto where = collection_of(call, std::string(*database), std::string(*collection));
  if (!where) return where.error();
  auto index = read_index(call);
  if (!index) return index.error();
  if (auto made = call.services.data->create_index(*where, *index); !made) return made.error();
  return json_answer(shown_index(*index), 201);
}

Result<Answer> remove_index(Call& call) {
  auto where = collection_of_query(call);
  if (!where) return where.error();
  auto removed = call.services.data->drop_index(*where, call.arguments[3]);
  if (!removed) return removed.error();
  if (!*removed) return refusal(ErrorCode::AppUnknownError, 404, "index not found");
  return no_content();
}

}  // namespace

const std::vector<Route>& admin_index_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/services/{}/indexes", Lane::storage, Auth::admin, Body::ignored,
       list_indexes},
      {"POST", "/groups/{}/apps/{}/services/{}/indexes", Lane::storage, Auth::admin, Body::admin_object,
       create_index},
      {"DELETE", "/groups/{}/apps/{}/services/{}/indexes/{}", Lane::storage, Auth::admin, Body::ignored,
       remove_index},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

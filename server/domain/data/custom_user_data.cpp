// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/domain/data/document_service.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {

Result<std::optional<DocumentService::UserData>> DocumentService::user_data_of(const App& app) {
  if (!app.user_data) return std::optional<UserData>();
  auto service = apps_.document(app.id, "services", app.user_data->service_id);
  if (!service) return unavailable(service.error());
  const auto name = *service ? (*service)->string_at("name") : std::nullopt;
  if (!name) return std::optional<UserData>();
  auto store = store_of(app.id, app.user_data->service_id, **service);
  if (!store) return store.error();
  return std::optional(UserData{
      std::move(*store), {app.id, std::string(*name), app.user_data->database, app.user_data->collection}});
}

Result<void> DocumentService::prepare_user_data(const App& app) {
  auto data = user_data_of(app);
  if (!data) return data.error();
  // The indexes of a linked cluster are its owner's business.
  if (!*data || (*data)->store.get() != &documents_) return {};
  const CollectionName& where = (*data)->where;
  const std::string& field = app.user_data->user_id_field;
  auto indexes = documents_.indexes(where);
  if (!indexes) return indexes.error();
  for (const IndexDefinition& each : *indexes) {
    if (!each.keys.empty() && each.keys.begin()->first == field) return {};
  }
  IndexDefinition index;
  index.name = field + "_1";
  index.keys.set(field, std::int32_t{1});
  return documents_.create_index(where, index);
}

/// The id as text goes before the id as ObjectId; natural order is that of insertion, so that the first
/// inserted counts (functions.md 7).
Result<std::optional<EjsonDocument>> DocumentService::custom_user_data(const App& app,
                                                                       std::string_view user_id) {
  auto data = user_data_of(app);
  if (!data) return data.error();
  if (!*data) return std::optional<EjsonDocument>();
  const auto find = [&](Ejson id) -> Result<std::optional<EjsonDocument>> {
    FindQuery query;
    query.filter.set(app.user_data->user_id_field, std::move(id));
    query.limit = 1;
    auto found = (*data)->store->find((*data)->where, query);
    if (!found) return found.error();
    if (found->empty()) return std::optional<EjsonDocument>();
    return std::optional(std::move(found->front()));
  };
  auto by_text = find(Ejson(user_id));
  if (!by_text || *by_text) return by_text;
  const auto object_id = ObjectId::from_hex(user_id);
  if (!object_id) return by_text;
  return find(Ejson(*object_id));
}

}  // namespace keyturn::server

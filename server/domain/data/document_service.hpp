// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "server/domain/accounts/user_store.hpp"
#include "server/domain/apps/app_store.hpp"
#include "server/domain/data/data_service.hpp"
#include "server/domain/data/document_store.hpp"
#include "server/domain/data/linked_documents.hpp"
#include "server/domain/rules/document_schema.hpp"

namespace keyturn::server {

/// Documents of the server's own store, or of the cluster that a service is linked to, behind the rules that
/// administrators wrote: services are the app's documents "services" of a MongoDB type, rules its
/// "rules/<service id>" and "default_rules". Both are read at each call, so that a change counts for the very
/// next one; a watcher sees it within a second.
///
/// Thread safety and errors: as `DataService`. Lifetime: not beyond the stores and the clock.
class DocumentService final : public DataService {
 public:
  /// `linked` may be null: then all documents are in the server's own store.
  DocumentService(AppStore& apps, DocumentStore& documents, UserStore& users, Clock& clock,
                  LinkedDocuments* linked = nullptr)
      : apps_(apps), documents_(documents), users_(users), clock_(clock), linked_(linked) {}

  [[nodiscard]] Result<bool> has_service(const App& app, std::string_view service) override;
  Result<Ejson> call(const App& app, const DataCaller& caller, std::string_view service,
                     std::string_view action, const EjsonDocument& arguments) override;
  Result<std::shared_ptr<void>> watch(const App& app, const DataCaller& caller, std::string_view service,
                                      const EjsonDocument& arguments, ChangeObserver observer) override;
  Result<std::vector<IndexDefinition>> indexes(const CollectionName& where) override;
  Result<void> create_index(const CollectionName& where, const IndexDefinition& index) override;
  Result<bool> drop_index(const CollectionName& where, std::string_view name) override;
  Result<void> prepare_user_data(const App& app) override;
  Result<std::optional<EjsonDocument>> custom_user_data(const App& app, std::string_view user_id) override;

 private:
  using Gate = std::shared_ptr<const DocumentGate>;
  class Watch;
  /// The service of that name; nothing: there is none.
  Result<std::optional<ConfigDocument>> find_service(std::string_view app_id, std::string_view service);
  using Store = std::shared_ptr<DocumentStore>;
  /// Where the service's documents are. Errors: as `LinkedDocuments`.
  Result<Store> store_of(std::string_view app_id, std::string_view service_id, const json::Value& service);
  Result<Store> store_for(const CollectionName& where);
  struct UserData {
    Store store;
    CollectionName where;
  };
  /// The collection that the app's setting names; nothing: the setting is off, or its service is gone.
  Result<std::optional<UserData>> user_data_of(const App& app);
  /// What the rules let the caller do; null for the system.
  Result<Gate> gate_for(const App& app, const DataCaller& caller, std::string_view service_id,
                        std::string_view database, std::string_view collection);
  Result<Ejson> rule_of(const App& app, std::string_view service_id, std::string_view database,
                        std::string_view collection);
  /// What documents of the collection must look like; nothing: they may be as they are.
  Result<std::optional<data::DocumentSchema>> schema_of(const App& app, std::string_view service,
                                                        std::string_view service_id,
                                                        std::string_view database,
                                                        std::string_view collection);
  Result<Ejson> user_facts(const App& app, const DataCaller& caller, std::string_view rule_text);

  AppStore& apps_;
  DocumentStore& documents_;
  UserStore& users_;
  Clock& clock_;
  LinkedDocuments* linked_;
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>

#include "server/domain/app_store.hpp"
#include "server/domain/data_service.hpp"
#include "server/domain/document_store.hpp"
#include "server/domain/user_store.hpp"

namespace keyturn::server {

/// Documents of a store behind the rules that administrators wrote: services are the app's documents
/// "services" of a MongoDB type, rules its "rules/<service id>" and "default_rules". Both are read at each
/// call, so that a change counts for the very next one; a watcher sees it within a second.
///
/// Thread safety and errors: as `DataService`. Lifetime: not beyond the stores and the clock.
class DocumentService final : public DataService {
 public:
  DocumentService(AppStore& apps, DocumentStore& documents, UserStore& users, Clock& clock)
      : apps_(apps), documents_(documents), users_(users), clock_(clock) {}

  [[nodiscard]] Result<bool> has_service(const App& app, std::string_view service) override;
  Result<Ejson> call(const App& app, const DataCaller& caller, std::string_view service,
                     std::string_view action, const EjsonDocument& arguments) override;
  Result<std::shared_ptr<void>> watch(const App& app, const DataCaller& caller, std::string_view service,
                                      const EjsonDocument& arguments, ChangeObserver observer) override;
  Result<std::vector<IndexDefinition>> indexes(const CollectionName& where) override {
    return documents_.indexes(where);
  }
  Result<void> create_index(const CollectionName& where, const IndexDefinition& index) override {
    return documents_.create_index(where, index);
  }
  Result<bool> drop_index(const CollectionName& where, std::string_view name) override {
    return documents_.drop_index(where, name);
  }
  Result<void> prepare_user_data(const App& app) override;
  Result<std::optional<EjsonDocument>> custom_user_data(const App& app, std::string_view user_id) override;

 private:
  /// The collection that the app's setting names; nothing: the setting is off, or its service is gone.
  Result<std::optional<CollectionName>> user_data_collection(const App& app);
  using Gate = std::shared_ptr<const DocumentGate>;
  class Watch;
  /// The id of the linked service; nothing: there is none.
  Result<std::optional<std::string>> find_service(const App& app, std::string_view service);
  /// What the rules let the caller do; null for the system.
  Result<Gate> gate_for(const App& app, const DataCaller& caller, std::string_view service_id,
                        std::string_view database, std::string_view collection);
  Result<Ejson> rule_of(const App& app, std::string_view service_id, std::string_view database,
                        std::string_view collection);
  Result<Ejson> user_facts(const App& app, const DataCaller& caller, std::string_view rule_text);

  AppStore& apps_;
  DocumentStore& documents_;
  UserStore& users_;
  Clock& clock_;
};

}  // namespace keyturn::server

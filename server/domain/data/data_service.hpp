// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/data/document_store.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

/// Who asks for documents. Rules bind everybody but the system.
struct DataCaller {
  std::optional<Principal> principal;  ///< Nothing: nobody has logged in.
  bool is_system = false;              ///< Rules are not asked (functions.md 2 `run_as_system`, data-api.md).
};

/// Documents as clients, functions and the Data API reach them: finds the linked service, applies the rules
/// of the collection for the caller, and shapes results as client-api.md 13 has them.
///
/// Thread safety: all members. A call may wait for a durable commit.
class DataService {
 public:
  virtual ~DataService() = default;

  [[nodiscard]] virtual Result<bool> has_service(const App& app, std::string_view service) = 0;

  /// One action of client-api.md 13 ("find" to "updateMany", and "distinct", "bulkWrite" for functions) with
  /// its argument object ("database", "collection", ...). Errors: `ServiceNotFound`; `BadRequest` for missing
  /// or wrong arguments; `NoMatchingRuleFound` 403 when no role lets the caller; `MongoDBError` 400 for what
  /// a database refuses; `ReadSizeLimitExceeded`; `ServiceUnavailable`.
  virtual Result<Ejson> call(const App& app, const DataCaller& caller, std::string_view service,
                             std::string_view action, const EjsonDocument& arguments) = 0;

  /// Calls the observer with each change event (client-api.md 14) that the caller may see and asked for
  /// ("ids", "filter"), from now on until the registration is destroyed; an error is the last call. Not from
  /// within this member; once the registration is destroyed, which the observer must not do, no call is under
  /// way. Lifetime: not beyond the service.
  using ChangeObserver = std::function<void(Result<EjsonDocument>)>;
  virtual Result<std::shared_ptr<void>> watch(const App& /*app*/, const DataCaller& /*caller*/,
                                              std::string_view service, const EjsonDocument& /*arguments*/,
                                              ChangeObserver /*observer*/) {
    return refusal(ErrorCode::ServiceNotFound, "service not found: '" + std::string(service) + "'");
  }

  /// Indexes of a collection, for administrators. Errors: as `call`; `MongoDBError` for one that the store
  /// has not.
  virtual Result<std::vector<IndexDefinition>> indexes(const CollectionName& /*where*/) {
    return no_indexes();
  }
  virtual Result<void> create_index(const CollectionName& /*where*/, const IndexDefinition& /*index*/) {
    return no_indexes();
  }
  virtual Result<bool> drop_index(const CollectionName& /*where*/, std::string_view /*name*/) {
    return no_indexes();
  }

  /// Makes the reads of `custom_user_data` cheap, by an index where there can be one. Called when the app's
  /// setting has changed.
  virtual Result<void> prepare_user_data(const App& /*app*/) { return {}; }

  /// The user's custom data (functions.md 7): the document of the collection that the app's setting names.
  /// Nothing: no such setting or document. Cheap when there is no setting.
  virtual Result<std::optional<EjsonDocument>> custom_user_data(const App& app, std::string_view user_id) = 0;

 private:
  static Error no_indexes() { return refusal(ErrorCode::ServiceNotFound, "this service has no indexes"); }
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/apps/app_store.hpp"
#include "server/domain/data/linked_documents.hpp"
#include "server/storage/mongodb/cluster_options.hpp"

namespace keyturn::server::mongodb {

/// The clusters that services are linked to: a service whose `secret_config.uri` names a secret of the app,
/// or whose `config.uri` is a connection string (admin-api.md 7). One set of connections for each service,
/// made at its first call, closed when the string changes or the service goes.
///
/// Thread safety: all members. Lifetime: not beyond the store and the clock.
class LinkedClusters final : public LinkedDocuments {
 public:
  LinkedClusters(AppStore& apps, Clock& clock, ClusterOptions options = {})
      : apps_(apps), clock_(clock), options_(options) {}

  Result<std::shared_ptr<DocumentStore>> store_of(std::string_view app_id, std::string_view service_id,
                                                  const json::Value& service) override;

  void close_unlinked() override;

  [[nodiscard]] std::size_t size() const;

 private:
  using Key = std::pair<std::string, std::string>;  // app, service
  struct Link {
    Secret connection_string;
    std::shared_ptr<DocumentStore> store;
  };
  /// Nothing: the service is not linked.
  Result<std::optional<Secret>> connection_string_of(std::string_view app_id, const json::Value& service);

  AppStore& apps_;
  Clock& clock_;
  const ClusterOptions options_;
  mutable std::mutex mutex_;
  std::map<Key, Link> links_;
};

}  // namespace keyturn::server::mongodb

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mongoc/mongoc.h>

#include <atomic>
#include <memory>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/storage/mongodb/cluster_options.hpp"

namespace keyturn::server::mongodb {

/// The connections to one MongoDB cluster, bounded, made when they are needed.
///
/// A cluster that is away costs one call its deadline and the calls of the next second nothing, so that they
/// do not fill the lanes. No error and no log line holds the connection string or a host's name.
///
/// Thread safety: all members. Lifetime: the clock outlives it.
class Cluster {
 public:
  /// Connects to nothing yet; `mongodb+srv` asks the DNS. Errors: `ServiceUnavailable`: this is no connection
  /// string, or one that names a key file of the server's.
  static Result<std::shared_ptr<Cluster>> open(const Secret& connection_string, const ClusterOptions& options,
                                               Clock& clock);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  /// A client for one call, on one thread; given back when it is destroyed.
  struct GiveBack {
    mongoc_client_pool_t* pool = nullptr;
    void operator()(mongoc_client_t* client) const noexcept { mongoc_client_pool_push(pool, client); }
  };
  using Lease = std::unique_ptr<mongoc_client_t, GiveBack>;
  /// Errors: `ServiceUnavailable`: all are in use, or no server was found a moment ago.
  [[nodiscard]] Result<Lease> lease();

  /// What a caller is told: `MongoDBError` with the cluster's own code and text, or `ServiceUnavailable`.
  [[nodiscard]] Error fault(const bson_error_t& error);

  [[nodiscard]] const ClusterOptions& options() const noexcept { return options_; }
  [[nodiscard]] Clock& clock() const noexcept { return clock_; }

 private:
  Cluster(mongoc_client_pool_t* pool, const ClusterOptions& options, Clock& clock)
      : pool_(pool), options_(options), clock_(clock) {}

  mongoc_client_pool_t* const pool_;
  const ClusterOptions options_;
  Clock& clock_;
  std::atomic<BootTime> away_until_{BootTime{}};
};

}  // namespace keyturn::server::mongodb

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/domain/data/document_store.hpp"
#include "server/storage/mongodb/cluster.hpp"

namespace keyturn::server::mongodb {

/// Change streams of a cluster: one for each watched collection, on a thread of its own, for all who watch
/// it.
///
/// Thread safety: all members. Destruction ends the threads, and waits for one answer of the cluster at most.
class ChangeStreams {
 public:
  explicit ChangeStreams(std::shared_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}
  ChangeStreams(const ChangeStreams&) = delete;
  ChangeStreams& operator=(const ChangeStreams&) = delete;
  ~ChangeStreams();

  /// Opens the collection's stream, unless it is open. Its end is an event of the kind `gap` with its fault.
  /// Errors: those of `Cluster::fault`, such as that of a cluster without change streams;
  /// `ServiceUnavailable` when too many collections are watched.
  Result<std::shared_ptr<void>> watch(const CollectionName& where, DocumentStore::ChangeObserver observer);

 private:
  class Stream;
  using Place = std::pair<std::string, std::string>;  // database, collection

  std::shared_ptr<Cluster> cluster_;
  std::mutex mutex_;
  std::map<Place, std::shared_ptr<Stream>> streams_;
};

}  // namespace keyturn::server::mongodb

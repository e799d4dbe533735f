// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/domain/data/document_store.hpp"
#include "server/storage/mongodb/change_streams.hpp"
#include "server/storage/mongodb/cluster.hpp"

namespace keyturn::server::mongodb {

/// Documents of one linked cluster. What a caller without rules asks goes to the cluster as it is.
///
/// Under rules the gate's prefilter goes along with each query. Where that filter says all that the rules say
/// (`prefilter_is_exact`), the cluster does the rest; where it does not, the documents are read and the gate
/// is asked of each, and then projections, pipelines and `distinct` are those of the embedded engine. A
/// change under rules is a transaction: read, ask, change, ask of what has become of it, commit.
///
/// Otherwise than `DocumentStore` says, an insert of several documents keeps those before the first fault,
/// and a change of several without a gate is as atomic as MongoDB makes it.
class MongoDocumentStore final : public DocumentStore {
 public:
  explicit MongoDocumentStore(std::shared_ptr<Cluster> cluster)
      : cluster_(std::move(cluster)), streams_(cluster_) {}

  Result<std::vector<EjsonDocument>> find(const CollectionName& where, const FindQuery& query) override;
  Result<std::int64_t> count(const CollectionName& where, const EjsonDocument& filter, std::int64_t limit,
                             const DocumentGate* gate) override;
  Result<std::vector<EjsonDocument>> aggregate(const CollectionName& where,
                                               const AggregateQuery& query) override;
  Result<std::optional<std::vector<std::string>>> foreign_collections(const EjsonArray& pipeline) override;
  Result<std::optional<EjsonArray>> distinct(const CollectionName& where, std::string_view field,
                                             const EjsonDocument& filter, const DocumentGate* gate) override;
  Result<EjsonArray> insert(const CollectionName& where, InsertQuery query) override;
  Result<UpdateResult> update(const CollectionName& where, const UpdateQuery& query) override;
  Result<std::optional<EjsonDocument>> find_and_modify(const CollectionName& where,
                                                       const FindAndModifyQuery& query) override;
  Result<std::int64_t> remove(const CollectionName& where, const EjsonDocument& filter, bool many,
                              const DocumentGate* gate) override;

  Result<void> create_index(const CollectionName& where, const IndexDefinition& index) override;
  Result<std::vector<IndexDefinition>> indexes(const CollectionName& where) override;
  Result<bool> drop_index(const CollectionName& where, std::string_view name) override;

  std::shared_ptr<void> watch(const CollectionName& where, ChangeObserver observer) override;
  Result<std::shared_ptr<void>> start_watch(const CollectionName& where, ChangeObserver observer) override;

  /// The documents are the cluster's own: they stay.
  Result<void> remove_app(std::string_view /*app_id*/) override { return {}; }

 private:
  std::shared_ptr<Cluster> cluster_;
  ChangeStreams streams_;
};

}  // namespace keyturn::server::mongodb

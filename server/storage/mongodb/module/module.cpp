// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/module/module.hpp"

#include "server/storage/mongodb/linked_clusters.hpp"

namespace keyturn::server::mongodb {
namespace {

std::unique_ptr<LinkedDocuments> linked_clusters(AppStore& apps, Clock& clock) {
  return std::make_unique<LinkedClusters>(apps, clock);
}

}  // namespace

extern "C" {
// NOLINTNEXTLINE(readability-identifier-naming): the symbol that kModuleSymbol names
[[gnu::visibility("default")]] extern const Module keyturn_mongodb_module;
const Module keyturn_mongodb_module{KEYTURN_VERSION, &linked_clusters};
}

}  // namespace keyturn::server::mongodb

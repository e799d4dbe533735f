// SPDX-License-Identifier: Apache-2.0
#include "server/storage/mongodb/linked_clusters.hpp"

#include <vector>

#include "server/domain/refusal.hpp"
#include "server/storage/mongodb/mongo_document_store.hpp"

namespace keyturn::server::mongodb {
namespace {

constexpr std::size_t kMostLinks = 64;

Error not_linked(const char* why) { return refusal(ErrorCode::ServiceUnavailable, 503, why); }

std::string_view setting_of(const json::Value& service, std::string_view member) {
  const json::Value* config = service.find(member);
  return config == nullptr ? std::string_view() : config->string_at("uri").value_or("");
}

}  // namespace

Result<std::optional<Secret>> LinkedClusters::connection_string_of(std::string_view app_id,
                                                                   const json::Value& service) {
  if (const std::string_view name = setting_of(service, "secret_config"); !name.empty()) {
    auto secret = apps_.secret_by_name(app_id, name);
    if (!secret) return unavailable(secret.error());
    if (!*secret)
      return not_linked("the secret that the service names for its connection string does not exist");
    return secret;
  }
  const std::string_view text = setting_of(service, "config");
  if (text.empty()) return std::optional<Secret>();
  return std::optional<Secret>(Secret(std::string(text)));
}

Result<std::shared_ptr<DocumentStore>> LinkedClusters::store_of(std::string_view app_id,
                                                                std::string_view service_id,
                                                                const json::Value& service) {
  auto wanted = connection_string_of(app_id, service);
  if (!wanted) return wanted.error();
  if (!*wanted) return std::shared_ptr<DocumentStore>();
  const Key key{app_id, service_id};
  {
    const std::scoped_lock lock(mutex_);
    const auto known = links_.find(key);
    if (known != links_.end() && known->second.connection_string.reveal() == (*wanted)->reveal())
      return known->second.store;
    if (known == links_.end() && links_.size() >= kMostLinks)
      return not_linked("too many services are linked to clusters");
  }
  auto cluster = Cluster::open(**wanted, options_, clock_);  // may ask the DNS: not under the lock
  if (!cluster) return cluster.error();
  std::shared_ptr<DocumentStore> store = std::make_shared<MongoDocumentStore>(std::move(*cluster));
  std::shared_ptr<DocumentStore> closed;  // outlives the lock, since closing waits
  const std::scoped_lock lock(mutex_);
  Link& link = links_[key];
  if (link.store && link.connection_string.reveal() == (*wanted)->reveal()) {
    closed = std::move(store);
    return link.store;
  }
  closed = std::move(link.store);
  link = Link{std::move(**wanted), store};
  return store;
}

void LinkedClusters::close_unlinked() {
  std::vector<Key> keys;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, link] : links_) keys.push_back(key);
  }
  for (const Key& key : keys) {
    auto service = apps_.document(key.first, "services", key.second);
    if (!service) continue;  // a fault of storage is no reason
    std::optional<Secret> wanted;
    if (*service) {
      auto read = connection_string_of(key.first, **service);
      if (read) wanted = std::move(*read);
    }
    std::shared_ptr<DocumentStore> closed;
    const std::scoped_lock lock(mutex_);
    const auto link = links_.find(key);
    if (link == links_.end()) continue;
    if (wanted && wanted->reveal() == link->second.connection_string.reveal()) continue;
    closed = std::move(link->second.store);
    links_.erase(link);
  }
}

std::size_t LinkedClusters::size() const {
  const std::scoped_lock lock(mutex_);
  return links_.size();
}

}  // namespace keyturn::server::mongodb

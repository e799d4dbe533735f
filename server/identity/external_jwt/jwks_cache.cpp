// SPDX-License-Identifier: Apache-2.0
#include "server/identity/external_jwt/jwks_cache.hpp"

#include <utility>

#include "core/json/json.hpp"
#include "core/jwt/key_set.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::identity {
namespace {

/// Many issuers leave `alg` out; the kind of a public key says it. Never for a symmetric key (rule V9).
std::string_view usual_algorithm(const json::Value& key) {
  const auto kind = key.string_at("kty");
  if (kind == "RSA") return "RS256";
  if (kind == "EC" && key.string_at("crv") == "P-256") return "ES256";
  if (kind == "OKP" && key.string_at("crv") == "Ed25519") return "EdDSA";
  return {};
}

}  // namespace

struct JwksCache::Keys {
  jwt::KeySet set;
  std::string only_id;  ///< Of the only key of the set.

  static Result<Keys> read(const std::string& document) {
    json::Limits limits;
    limits.max_bytes = kMostBytes;
    auto value = json::parse(document, limits);
    if (!value) return value.error();
    const json::Value* all = value->find("keys");
    if (all == nullptr || all->as_array() == nullptr)
      return Error(ErrorCode::BadRequest, "the document is no JWK set");
    json::Array usable;
    for (json::Value key : *all->as_array()) {
      json::Object* members = key.as_object();
      const std::string_view algorithm = usual_algorithm(key);
      if (members == nullptr || algorithm.empty()) continue;
      if (!members->contains("alg")) members->set("alg", algorithm);
      usable.push_back(std::move(key));
    }
    std::string only_id;
    if (usable.size() == 1) only_id = usable.front().string_at("kid").value_or("");
    auto set = jwt::KeySet::from_jwks(json::Value(json::Object{{"keys", std::move(usable)}}));
    if (!set) return set.error();
    return Keys{*std::move(set), std::move(only_id)};
  }

  [[nodiscard]] std::optional<jwt::Key> find(std::string_view key_id) const {
    const jwt::Key* key = set.find(key_id.empty() && set.size() == 1 ? std::string_view(only_id) : key_id);
    return key == nullptr ? std::nullopt : std::optional(*key);
  }
};

struct JwksCache::Entry {
  std::shared_ptr<const Keys> keys;
  BootTime fetched;  ///< When `keys` came.
  std::optional<BootTime> tried;
  bool is_fetching = false;
  bool failed = false;  ///< The last try.

  [[nodiscard]] std::optional<jwt::Key> find(std::string_view key_id, BootTime now) const {
    if (keys == nullptr || now - fetched > kUsableFor) return std::nullopt;
    return keys->find(key_id);
  }
  [[nodiscard]] bool may_fetch(BootTime now) const {
    return !is_fetching && (!tried || now - *tried >= kFetchPause);
  }
};

JwksCache::JwksCache(JwksFetcher& fetcher, Clock& clock) : fetcher_(fetcher), clock_(clock) {}
JwksCache::~JwksCache() = default;

JwksCache::Entry* JwksCache::entry_for(const std::string& address, BootTime now) {
  if (const auto found = entries_.find(address); found != entries_.end()) return found->second.get();
  if (entries_.size() >= kMostAddresses) {
    std::erase_if(entries_, [&](const auto& each) {
      return each.second->may_fetch(now) && now - each.second->fetched > kFreshFor;
    });
  }
  if (entries_.size() >= kMostAddresses) return nullptr;
  return entries_.emplace(address, std::make_shared<Entry>()).first->second.get();
}

Result<std::optional<jwt::Key>> JwksCache::find(const std::string& address, std::string_view key_id) {
  std::unique_lock lock(mutex_);
  BootTime now = clock_.boot_now();
  if (entry_for(address, now) == nullptr)
    return refusal(ErrorCode::ServiceUnavailable, "too many JWK sets are in use");
  const std::shared_ptr<Entry> entry = entries_.at(address);
  std::optional<jwt::Key> key = entry->find(key_id, now);
  const bool is_stale = entry->keys == nullptr || now - entry->fetched > kFreshFor;
  if ((!key || is_stale) && entry->may_fetch(now)) {
    entry->is_fetching = true;
    entry->tried = now;
    lock.unlock();
    auto document = fetcher_.fetch(address);
    auto keys = document ? Keys::read(*document) : Result<Keys>(document.error());
    lock.lock();
    entry->is_fetching = false;
    entry->failed = !keys;
    if (keys) {
      entry->keys = std::make_shared<const Keys>(*std::move(keys));
      entry->fetched = now;
    }
    fetched_.notify_all();
    key = entry->find(key_id, now);
  } else if (!key && entry->is_fetching) {
    fetched_.wait_for(lock, kMostWait, [&] { return !entry->is_fetching; });
    now = clock_.boot_now();
    key = entry->find(key_id, now);
  }
  if (key) return key;
  if (entry->failed || entry->is_fetching || entry->keys == nullptr) {
    return refusal(ErrorCode::ServiceUnavailable,
                   "the keys of the token's issuer cannot be had at the moment");
  }
  return std::optional<jwt::Key>();
}

}  // namespace keyturn::server::identity

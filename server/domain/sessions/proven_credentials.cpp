// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/proven_credentials.hpp"

#include <iterator>

#include "core/crypto/crypto.hpp"

namespace keyturn::server {

ProvenCredentials::ProvenCredentials(std::size_t most) : most_(most), secret_(crypto::random_bytes(32)) {}

std::string ProvenCredentials::key_of(std::string_view app_id, std::string_view username,
                                      std::string_view password) const {
  std::string text;
  for (const std::string_view part : {app_id, username, password}) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  const auto digest = crypto::hmac_sha256(secret_, text);
  return {digest.begin(), digest.end()};
}

std::optional<ProvenIdentity> ProvenCredentials::find(const std::string& key) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  return found->second->second;
}

void ProvenCredentials::put(const std::string& key, ProvenIdentity proven) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->second = std::move(proven);
    return;
  }
  entries_.emplace_back(key, std::move(proven));
  by_key_.emplace(key, std::prev(entries_.end()));
  if (entries_.size() <= most_) return;
  by_key_.erase(entries_.front().first);
  entries_.pop_front();
}

void ProvenCredentials::forget(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  entries_.erase(found->second);
  by_key_.erase(found);
}

std::size_t ProvenCredentials::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace keyturn::server

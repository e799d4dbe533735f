// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "server/domain/ports.hpp"

namespace keyturn::server {

/// Passwords that were right a while ago, so that a caller who sends one with every request costs one slow
/// hash and not thousands. Keeps no password but an HMAC of it under a key of this process's own. What is
/// remembered is no verdict: whoever finds it still asks the provider whether it holds.
///
/// Bounded: the oldest is forgotten. Thread safety: all members.
class ProvenCredentials {
 public:
  explicit ProvenCredentials(std::size_t most = 4'096);

  /// The name under which a proof is kept.
  [[nodiscard]] std::string key_of(std::string_view app_id, std::string_view username,
                                   std::string_view password) const;
  [[nodiscard]] std::optional<ProvenIdentity> find(const std::string& key) const;
  void put(const std::string& key, ProvenIdentity proven);
  void forget(const std::string& key);
  [[nodiscard]] std::size_t size() const;

 private:
  using Entry = std::pair<std::string, ProvenIdentity>;
  const std::size_t most_;
  const std::string secret_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< Oldest first.
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace keyturn::server

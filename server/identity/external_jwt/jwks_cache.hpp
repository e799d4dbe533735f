// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>

#include "core/jwt/key.hpp"
#include "server/domain/ports.hpp"

namespace keyturn::server::identity {

/// The published keys of other issuers, by the address of their JWK set (row B-48).
///
/// An address is fetched at most once in `kFetchPause`, by one caller at a time, whatever the tokens ask for.
/// Keys are looked for anew after `kFreshFor` and used up to `kUsableFor` while the issuer cannot be reached.
/// A document above `kMostBytes` is refused. Symmetric keys are never taken, for whoever can read the
/// document could sign with them.
///
/// Thread safety: all members. No lock is held while the fetcher works; a caller without keys waits for the
/// one that fetches, at most `kMostWait`.
class JwksCache {
 public:
  static constexpr std::chrono::seconds kFetchPause{60};
  static constexpr std::chrono::minutes kFreshFor{5};
  static constexpr std::chrono::hours kUsableFor{24};
  static constexpr std::chrono::seconds kMostWait{10};
  static constexpr std::size_t kMostBytes = std::size_t{256} * 1024;
  static constexpr std::size_t kMostAddresses = 256;

  JwksCache(JwksFetcher& fetcher, Clock& clock);
  ~JwksCache();

  /// The key with that exact id; for an empty id the only key of the set. Nothing: the issuer has no such
  /// key. Errors: `ServiceUnavailable` 503 when that cannot be known at the moment.
  Result<std::optional<jwt::Key>> find(const std::string& address, std::string_view key_id);

 private:
  struct Keys;
  struct Entry;
  Entry* entry_for(const std::string& address, BootTime now);

  JwksFetcher& fetcher_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable fetched_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace keyturn::server::identity

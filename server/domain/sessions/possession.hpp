// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::server {

/// Decides whether a proof of possession (DPoP, RFC 9449) is good for a request.
///
/// A proof with a nonce of ours is judged by the nonce alone, so that a device whose clock is wrong by years
/// keeps its session; one without must have been made within a minute of the server's time. Each proof counts
/// once. Nonces belong to this process: after a restart a client gets a new one and repeats.
///
/// Thread safety: all members. Memory is bounded by `kMostRemembered` proofs.
class PossessionRules {
 public:
  /// How long a nonce is given out; it is good for as long again.
  static constexpr std::chrono::seconds kNonceLife{300};
  /// Furthest a clock without a nonce may be off.
  static constexpr std::chrono::seconds kMostOff{60};
  /// Proofs remembered per `kNonceLife`. When more come, the older half is forgotten early.
  static constexpr std::size_t kMostRemembered = 100'000;

  PossessionRules();
  /// With a secret of the caller's, for tests.
  explicit PossessionRules(Secret nonce_secret) : nonce_secret_(std::move(nonce_secret)) {}

  /// Whether an origin ("https://auth.example.com", in its normal form) is this server's.
  using OwnOrigin = std::function<bool(std::string_view origin)>;
  /// The thumbprint of the key that is proven to be held for a request to `path` of this server. Spellings of
  /// one address count as the same (RFC 9449 section 4.3). Errors: `UseDpopNonce` when the clocks differ or
  /// the nonce is none of ours; `InvalidDpopProof` for everything else. Neither says anything about a
  /// session.
  [[nodiscard]] Result<std::string> check(std::string_view proof, std::string_view method,
                                          std::string_view path, const OwnOrigin& is_own, WallTime now);
  /// The nonce to send with an answer.
  [[nodiscard]] std::string nonce(WallTime now) const;

 private:
  [[nodiscard]] std::string nonce_of(std::int64_t period) const;
  [[nodiscard]] bool is_own_nonce(std::string_view nonce, WallTime now) const;
  [[nodiscard]] bool is_first_use(std::string_view thumbprint, std::string_view id, WallTime now);

  Secret nonce_secret_;
  std::mutex mutex_;
  std::int64_t period_ = 0;
  std::unordered_set<std::string> current_;   ///< Hashes of what came in this period,
  std::unordered_set<std::string> previous_;  ///< and in the one before.
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/possession.hpp"

#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/jwt/possession_proof.hpp"
#include "core/protocol/http_uri.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kNonceBytes = 16;

std::int64_t period_of(WallTime now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() / PossessionRules::kNonceLife;
}

}  // namespace

PossessionRules::PossessionRules() : nonce_secret_(crypto::random_bytes(32)) {}

std::string PossessionRules::nonce_of(std::int64_t period) const {
  const auto mac = crypto::hmac_sha256(nonce_secret_.reveal(), "dpop nonce " + std::to_string(period));
  return crypto::base64url_encode({reinterpret_cast<const char*>(mac.data()), kNonceBytes});
}

std::string PossessionRules::nonce(WallTime now) const { return nonce_of(period_of(now)); }

bool PossessionRules::is_own_nonce(std::string_view nonce, WallTime now) const {
  const std::int64_t period = period_of(now);
  return crypto::constant_time_equal(nonce, nonce_of(period)) ||
         crypto::constant_time_equal(nonce, nonce_of(period - 1));
}

bool PossessionRules::is_first_use(std::string_view thumbprint, std::string_view id, WallTime now) {
  std::string use = crypto::sha256(std::string(thumbprint) + '.' + std::string(id));
  const std::int64_t period = period_of(now);
  const std::scoped_lock lock(mutex_);
  if (period != period_ || current_.size() >= kMostRemembered) {
    const bool is_next = period - period_ <= 1;
    previous_ = is_next ? std::move(current_) : std::unordered_set<std::string>();
    current_.clear();
    period_ = period;
  }
  if (previous_.contains(use)) return false;
  return current_.insert(std::move(use)).second;
}

Result<std::string> PossessionRules::check(std::string_view proof, std::string_view method,
                                           std::string_view path, const OwnOrigin& is_own, WallTime now) {
  auto checked = jwt::check_proof(proof);
  if (!checked) return checked.error();
  const jwt::PossessionClaims& claims = checked->claims;
  const auto url = protocol::normal_http_uri(claims.url);
  if (claims.method != method || !url || url->path != protocol::normal_path(path)) {
    return refusal(ErrorCode::InvalidDpopProof, "the proof of possession is for another request");
  }
  if (!is_own(url->origin)) {
    return refusal(ErrorCode::InvalidDpopProof,
                   "the proof of possession is for another server; this one knows itself by its public_url");
  }
  const bool is_timely = claims.issued_at - now <= kMostOff && now - claims.issued_at <= kMostOff;
  if (claims.nonce.empty() ? !is_timely : !is_own_nonce(claims.nonce, now)) {
    return refusal(ErrorCode::UseDpopNonce, "the proof of possession needs a fresh nonce");
  }
  if (!is_first_use(checked->thumbprint, claims.id, now)) {
    return refusal(ErrorCode::InvalidDpopProof, "the proof of possession was used before");
  }
  return std::move(checked->thumbprint);
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "server/domain/app_service.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

Result<std::chrono::seconds> within(std::string_view member, std::int64_t seconds, std::chrono::seconds least,
                                    std::chrono::seconds most) {
  if (seconds >= least.count() && seconds <= most.count()) return std::chrono::seconds(seconds);
  return refusal(ErrorCode::InvalidParameter, std::string(member) + " must be between " +
                                                  std::to_string(least.count()) + " and " +
                                                  std::to_string(most.count()));
}

}  // namespace

LifetimeLimits LifetimeLimits::short_ones() {
  LifetimeLimits limits;
  limits.min_access = std::chrono::seconds(1);
  limits.min_refresh = std::chrono::seconds(1);
  return limits;
}

Result<TokenSettings> apply(const TokenSettings& settings, const TokenSettingsPatch& patch,
                            const LifetimeLimits& limits) {
  TokenSettings next = settings;
  if (patch.access_lifetime_seconds) {
    auto value = within("access_token_lifetime_seconds", *patch.access_lifetime_seconds, limits.min_access,
                        limits.max_access);
    if (!value) return value.error();
    next.access_lifetime = *value;
  }
  if (patch.refresh_lifetime_seconds) {
    auto value = within("refresh_token_lifetime_seconds", *patch.refresh_lifetime_seconds, limits.min_refresh,
                        limits.max_refresh);
    if (!value) return value.error();
    next.refresh_lifetime = *value;
  }
  if (patch.refresh_idle_seconds) {
    next.refresh_idle.reset();
    if (*patch.refresh_idle_seconds) {
      auto value = within("refresh_token_idle_seconds", **patch.refresh_idle_seconds, limits.min_refresh,
                          limits.max_refresh);
      if (!value) return value.error();
      next.refresh_idle = *value;
    }
  }
  if (patch.access_algorithm) {
    if (*patch.access_algorithm == "ES256") {
      next.access_algorithm = jwt::Algorithm::es256;
    } else if (*patch.access_algorithm == "HS256") {
      next.access_algorithm = jwt::Algorithm::hs256;
    } else {
      return refusal(ErrorCode::InvalidParameter, "access_token_algorithm must be ES256 or HS256");
    }
  }
  return next;
}

}  // namespace keyturn::server

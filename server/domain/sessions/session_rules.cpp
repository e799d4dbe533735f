// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/session_service.hpp"

namespace keyturn::server {

EndReason session_end_reason(const SessionState& state, const TokenSettings& settings, WallTime now) {
  if (state.ended) return state.reason == EndReason::none ? EndReason::revoked : state.reason;
  if (now >= state.refresh_expires) return EndReason::expired;
  const bool may_idle = settings.refresh_idle.has_value() && state.provider_type != "anon-user";
  if (may_idle && now - state.last_used > *settings.refresh_idle) return EndReason::idle;
  return EndReason::none;
}

}  // namespace keyturn::server

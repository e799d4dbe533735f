// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "server/domain/sessions/session_service.hpp"

namespace keyturn::server {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds kTick{1};
const WallTime kNow(std::chrono::seconds(1'700'000'000));

SessionState live() {
  SessionState state;
  state.provider_type = "local-userpass";
  state.refresh_expires = kNow + 1h;
  state.last_used = kNow;
  return state;
}

TEST(SessionEndReason, IsExpiredFromTheEndOfTheRefreshTokenOn) {
  const TokenSettings settings;
  const SessionState state = live();
  EXPECT_EQ(session_end_reason(state, settings, state.refresh_expires - kTick), EndReason::none);
  EXPECT_EQ(session_end_reason(state, settings, state.refresh_expires), EndReason::expired);
  EXPECT_EQ(session_end_reason(state, settings, state.refresh_expires + kTick), EndReason::expired);
}

TEST(SessionEndReason, IsIdleOnlyAfterTheWholeLimit) {
  TokenSettings settings;
  settings.refresh_idle = 30min;
  const SessionState state = live();
  EXPECT_EQ(session_end_reason(state, settings, kNow + 30min - kTick), EndReason::none);
  EXPECT_EQ(session_end_reason(state, settings, kNow + 30min), EndReason::none);
  EXPECT_EQ(session_end_reason(state, settings, kNow + 30min + kTick), EndReason::idle);
}

TEST(SessionEndReason, IsNeverIdleWithoutALimitOrForAnonymousUsers) {
  TokenSettings settings;
  EXPECT_EQ(session_end_reason(live(), settings, kNow + 59min), EndReason::none);
  settings.refresh_idle = 1min;
  SessionState state = live();
  state.provider_type = "anon-user";
  EXPECT_EQ(session_end_reason(state, settings, kNow + 59min), EndReason::none);
}

TEST(SessionEndReason, IsTheRecordedOneBeforeAnyOther) {
  TokenSettings settings;
  settings.refresh_idle = 1s;
  SessionState state = live();
  state.ended = true;
  state.reason = EndReason::password_changed;
  EXPECT_EQ(session_end_reason(state, settings, kNow), EndReason::password_changed);
  EXPECT_EQ(session_end_reason(state, settings, kNow + 2h), EndReason::password_changed);
  state.reason = EndReason::none;
  EXPECT_EQ(session_end_reason(state, settings, kNow), EndReason::revoked);
}

TEST(SessionEndReason, ExpiryComesBeforeIdleness) {
  TokenSettings settings;
  settings.refresh_idle = 1min;
  EXPECT_EQ(session_end_reason(live(), settings, kNow + 1h), EndReason::expired);
}

}  // namespace
}  // namespace keyturn::server

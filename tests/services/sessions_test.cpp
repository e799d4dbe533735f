// SPDX-License-Identifier: Apache-2.0
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

using ::testing::ContainsRegex;

class SessionServiceTest : public ServicesTest {};

TEST_F(SessionServiceTest, LogInAnswersFourStringsThatWork) {
  const LoginTokens tokens = log_in("anon-user", {});
  EXPECT_THAT(tokens.user_id, ContainsRegex("^[0-9a-f]{24}$"));
  EXPECT_EQ(tokens.device_id, kNoDevice);
  const Caller who = caller(tokens);
  EXPECT_EQ(who.principal.user_id, tokens.user_id);
  EXPECT_EQ(who.principal.app_id, app_id);
  EXPECT_EQ(who.principal.provider_type, "anon-user");
  EXPECT_EQ(who.principal.session_id, who.claims.session_id);
  const auto refreshed = sessions.refresh(tokens.refresh_token.reveal());
  ASSERT_TRUE(refreshed);
  EXPECT_TRUE(sessions.check_access(refreshed->reveal()));
}

TEST_F(SessionServiceTest, EachLogInIsANewSessionAndAnonymousUsersAreNewEachTime) {
  const LoginTokens first = log_in_new("a@example.com");
  const LoginTokens second = log_in("local-userpass", userpass("a@example.com"));
  EXPECT_EQ(first.user_id, second.user_id);
  EXPECT_NE(caller(first).principal.session_id, caller(second).principal.session_id);
  EXPECT_NE(log_in("anon-user", {}).user_id, log_in("anon-user", {}).user_id);
}

TEST_F(SessionServiceTest, MissingUnknownAndDisabledProvidersAreUnsupported) {
  EXPECT_THAT(
      sessions.log_in(app(), "custom-token", {}, nullptr),
      Refuses(ErrorCode::AuthProviderNotFound, 404, "authentication via 'custom-token' is unsupported"));
  EXPECT_THAT(
      sessions.log_in(app(), "oauth2-google", {}, nullptr),
      Refuses(ErrorCode::AuthProviderNotFound, 404, "authentication via 'oauth2-google' is unsupported"));
  ASSERT_TRUE(apps.set_provider_disabled(app_id, app().provider("anon-user")->id, true));
  EXPECT_THAT(sessions.log_in(app(), "anon-user", {}, nullptr),
              Refuses(ErrorCode::AuthProviderNotFound, 404, "authentication via 'anon-user' is unsupported"));
}

TEST_F(SessionServiceTest, WrongCredentialsAreMasked) {
  log_in_new("a@example.com");
  const auto refused = Refuses(ErrorCode::InvalidPassword, 401, "unauthorized");
  EXPECT_THAT(sessions.log_in(app(), "local-userpass", userpass("a@example.com", "other-password"), nullptr),
              refused);
  EXPECT_THAT(sessions.log_in(app(), "local-userpass", userpass("b@example.com"), nullptr), refused);
  EXPECT_THAT(sessions.log_in(app(), "local-userpass", userpass("A@example.com"), nullptr), refused);
  EXPECT_THAT(sessions.log_in(app(), "api-key", {{"key", "nonsense"}}, nullptr),
              Refuses(ErrorCode::AuthError, 401, "unauthorized"));
  for (const json::Object& body :
       {json::Object{}, json::Object{{"username", 1}, {"password", "secret-password"}},
        json::Object{{"username", "a@example.com"}, {"password", json::Object{{"$ne", ""}}}}}) {
    EXPECT_EQ(sessions.log_in(app(), "local-userpass", body, nullptr).error().http_status, 400);
  }
}

TEST_F(SessionServiceTest, AccessTokensEndWithTheirLifetimeToTheSecond) {
  const LoginTokens tokens = log_in("anon-user", {});
  clock.advance(1'799s);
  EXPECT_TRUE(sessions.check_access(tokens.access_token.reveal()));
  clock.advance(999'999us);
  EXPECT_TRUE(sessions.check_access(tokens.access_token.reveal()));
  clock.advance(1us);
  EXPECT_THAT(sessions.check_access(tokens.access_token.reveal()),
              SaysOver("invalid session: access token expired", EndReason::none));
  EXPECT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));
}

TEST_F(SessionServiceTest, RefreshTokensEndSixtyDaysAfterIssueToTheSecond) {
  const LoginTokens tokens = log_in_new("a@example.com");
  clock.advance(5'184'000s - 1us);
  const auto last = sessions.refresh(tokens.refresh_token.reveal());
  ASSERT_TRUE(last);
  EXPECT_TRUE(sessions.check_access(last->reveal()));
  clock.advance(1us);
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::expired));
  EXPECT_THAT(sessions.check_access(last->reveal()), SaysOver("invalid session", EndReason::expired));
  EXPECT_THAT(sessions.log_out(tokens.refresh_token.reveal()),
              SaysOver("invalid session: failed to find refresh token", EndReason::expired));
}

TEST_F(SessionServiceTest, LifetimesOfTheAppCountForWhatIsIssuedLater) {
  const LoginTokens before = log_in_new("a@example.com");
  TokenSettingsPatch patch;
  patch.access_lifetime_seconds = 300;
  patch.refresh_lifetime_seconds = 1'800;
  set_tokens(patch);
  const LoginTokens after = log_in("local-userpass", userpass("a@example.com"));
  EXPECT_EQ(caller(after).claims.expires_at - caller(after).claims.issued_at, 300s);
  EXPECT_EQ(caller(before).claims.expires_at - caller(before).claims.issued_at, 1'800s);
  clock.advance(1'800s);
  EXPECT_FALSE(sessions.refresh(after.refresh_token.reveal()));
  EXPECT_TRUE(sessions.refresh(before.refresh_token.reveal()));
}

TEST_F(SessionServiceTest, AnonymousRefreshTokensLastForTheLifeOfTheUser) {
  TokenSettingsPatch patch;
  patch.refresh_lifetime_seconds = 1'800;
  patch.refresh_idle_seconds = 1'800;
  set_tokens(patch);
  const LoginTokens tokens = log_in("anon-user", {});
  const auto claims = sessions.check_refresh(tokens.refresh_token.reveal())->claims;
  EXPECT_EQ(claims.expires_at - claims.issued_at, 1'576'800'000s);
  clock.advance(24h * 400);
  EXPECT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));
}

TEST_F(SessionServiceTest, IdleSessionsEndAndUsedOnesSlide) {
  TokenSettingsPatch patch;
  patch.refresh_idle_seconds = 1'800;
  set_tokens(patch);
  const LoginTokens tokens = log_in_new("a@example.com");
  const LoginTokens unused = log_in("local-userpass", userpass("a@example.com"));
  for (int i = 0; i < 5; ++i) {
    clock.advance(1'800s);
    ASSERT_TRUE(sessions.refresh(tokens.refresh_token.reveal())) << i;
    if (i == 2) {
      ASSERT_TRUE(sessions.housekeeping());
    }
  }
  EXPECT_THAT(sessions.refresh(unused.refresh_token.reveal()), SaysOver("invalid session", EndReason::idle));
  clock.advance(1'800s + 1us);
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()), SaysOver("invalid session", EndReason::idle));
}

TEST_F(SessionServiceTest, UsesThatACrashLostDoNotEndASession) {
  TokenSettingsPatch patch;
  patch.refresh_idle_seconds = 1'800;
  set_tokens(patch);
  const LoginTokens tokens = log_in_new("a@example.com");
  clock.advance(59s);
  ASSERT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));  // noted, never written
  clock.advance(1s);
  SessionService restarted(directory, session_store, user_store, clock, {&password_provider});
  clock.advance(1'799s);
  EXPECT_TRUE(restarted.refresh(tokens.refresh_token.reveal()));
}

TEST_F(SessionServiceTest, RefreshWritesNothingAndHousekeepingWritesUsesInOneBatch) {
  std::vector<LoginTokens> all;
  for (int i = 0; i < 10; ++i) all.push_back(log_in("anon-user", {}));
  clock.advance(2min);
  faults.count_from_zero();
  for (const LoginTokens& tokens : all) ASSERT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));
  EXPECT_EQ(faults.calls(), 10) << "one look at the row each";
  EXPECT_EQ(session_store.touches, 0);
  ASSERT_TRUE(sessions.housekeeping());
  EXPECT_EQ(session_store.touches, 1);
  EXPECT_EQ(stores.sessions().find(caller(all[0]).principal.session_id).value()->last_used, clock.wall_now());
}

TEST_F(SessionServiceTest, LogOutEndsTheSessionAtOnceAndOnce) {
  const LoginTokens tokens = log_in_new("a@example.com");
  const LoginTokens other = log_in("local-userpass", userpass("a@example.com"));
  EXPECT_TRUE(sessions.log_out(tokens.refresh_token.reveal()));
  EXPECT_THAT(sessions.check_access(tokens.access_token.reveal()),
              SaysOver("invalid session", EndReason::logged_out));
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::logged_out));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(sessions.log_out(tokens.refresh_token.reveal()),
                SaysOver("invalid session: failed to find refresh token", EndReason::logged_out));
  }
  EXPECT_TRUE(sessions.check_access(other.access_token.reveal()));
}

TEST_F(SessionServiceTest, TheWrongTypeOfTokenIsNamed) {
  const LoginTokens tokens = log_in("anon-user", {});
  const auto wrong = SaysOver("invalid refresh token: incorrect token type", EndReason::none);
  EXPECT_THAT(sessions.refresh(tokens.access_token.reveal()), wrong);
  EXPECT_THAT(sessions.log_out(tokens.access_token.reveal()), wrong);
  EXPECT_THAT(sessions.check_refresh(tokens.access_token.reveal()), wrong);
  EXPECT_THAT(sessions.check_access(tokens.refresh_token.reveal()),
              SaysOver("invalid access token: incorrect token type", EndReason::none));
}

TEST_F(SessionServiceTest, GarbageIsUnauthorizedForAccessAndInvalidForRefresh) {
  for (const std::string& garbage :
       {std::string(), std::string("null"), std::string("a.b.c"), std::string(20'000, 'x')}) {
    EXPECT_THAT(sessions.check_access(garbage), SaysOver("unauthorized", EndReason::none));
    EXPECT_THAT(sessions.refresh(garbage), SaysOver("invalid session", EndReason::none));
    EXPECT_THAT(sessions.log_out(garbage),
                SaysOver("invalid session: failed to find refresh token", EndReason::none));
  }
}

TEST_F(SessionServiceTest, APurgedSessionIsOverWithoutReason) {
  const LoginTokens tokens = log_in_new("a@example.com");
  ASSERT_TRUE(sessions.log_out(tokens.refresh_token.reveal()));
  clock.advance(24h * 30);
  ASSERT_TRUE(sessions.housekeeping());
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::logged_out));
  clock.advance(1s);
  ASSERT_TRUE(sessions.housekeeping());
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()), SaysOver("invalid session", EndReason::none));
  EXPECT_THAT(sessions.log_out(tokens.refresh_token.reveal()),
              SaysOver("invalid session: failed to find refresh token", EndReason::none));
}

TEST_F(SessionServiceTest, AClockThatWasSetBackIsNoVerdict) {
  const LoginTokens tokens = log_in("anon-user", {});
  clock.step_wall(-60s);
  EXPECT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));
  clock.step_wall(-1s);
  EXPECT_EQ(sessions.refresh(tokens.refresh_token.reveal()).error().code, ErrorCode::ServiceUnavailable);
  EXPECT_EQ(sessions.check_access(tokens.access_token.reveal()).error().http_status, 503);
  clock.step_wall(61s);
  EXPECT_TRUE(sessions.refresh(tokens.refresh_token.reveal()));
}

TEST_F(SessionServiceTest, EachWayOfEndingSaysItsReason) {
  const auto expect_over = [&](const LoginTokens& tokens, EndReason reason) {
    EXPECT_THAT(sessions.check_access(tokens.access_token.reveal()), SaysOver("invalid session", reason));
    EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()), SaysOver("invalid session", reason));
    EXPECT_THAT(sessions.check_refresh(tokens.refresh_token.reveal()), SaysOver("invalid session", reason));
  };
  LoginTokens tokens = log_in_new("a@example.com");
  EXPECT_TRUE(*sessions.revoke(app_id, tokens.user_id, caller(tokens).principal.session_id));
  expect_over(tokens, EndReason::revoked);

  tokens = log_in("local-userpass", userpass("a@example.com"));
  const LoginTokens kept = log_in("local-userpass", userpass("a@example.com"));
  EXPECT_EQ(*sessions.revoke_all(app_id, tokens.user_id, caller(kept).principal.session_id), 1);
  expect_over(tokens, EndReason::revoked);
  EXPECT_TRUE(sessions.check_access(kept.access_token.reveal()));

  ASSERT_TRUE(passwords.set_password(app(), "a@example.com", "another-password"));
  expect_over(kept, EndReason::password_changed);

  tokens = log_in("local-userpass", userpass("a@example.com", "another-password"));
  ASSERT_TRUE(users.set_disabled(app_id, tokens.user_id, true));
  expect_over(tokens, EndReason::user_disabled);
  EXPECT_THAT(
      sessions.log_in(app(), "local-userpass", userpass("a@example.com", "another-password"), nullptr),
      Refuses(ErrorCode::UserDisabled, 401, "user disabled"));
  ASSERT_TRUE(users.set_disabled(app_id, tokens.user_id, false));
  expect_over(tokens, EndReason::user_disabled);

  tokens = log_in("local-userpass", userpass("a@example.com", "another-password"));
  ASSERT_TRUE(users.remove(app_id, tokens.user_id));
  expect_over(tokens, EndReason::user_deleted);
  EXPECT_THAT(
      sessions.log_in(app(), "local-userpass", userpass("a@example.com", "another-password"), nullptr),
      Refuses(ErrorCode::InvalidPassword, 401, "unauthorized"));
  EXPECT_TRUE(passwords.register_account(app(), "a@example.com", "third-password"));
}

TEST_F(SessionServiceTest, ListShowsLiveSessionsOnly) {
  const LoginTokens first = log_in_new("a@example.com");
  clock.advance(1s);
  const LoginTokens second = log_in("local-userpass", userpass("a@example.com"));
  ASSERT_EQ(sessions.list(app_id, first.user_id)->size(), 2U);
  EXPECT_EQ(sessions.list(app_id, first.user_id)->front().id, caller(second).principal.session_id);
  ASSERT_TRUE(sessions.log_out(first.refresh_token.reveal()));
  EXPECT_EQ(sessions.list(app_id, first.user_id)->size(), 1U);
  clock.advance(5'184'000s);
  EXPECT_TRUE(sessions.list(app_id, first.user_id)->empty());
  EXPECT_FALSE(*sessions.revoke(app_id, first.user_id, "000000000000000000000001"));
}

TEST_F(SessionServiceTest, SomebodyElsesSessionCannotBeRevoked) {
  const LoginTokens mine = log_in("anon-user", {});
  const LoginTokens theirs = log_in("anon-user", {});
  EXPECT_FALSE(*sessions.revoke(app_id, mine.user_id, caller(theirs).principal.session_id));
  EXPECT_TRUE(sessions.check_access(theirs.access_token.reveal()));
}

TEST_F(SessionServiceTest, DeviceIdsFollowTheRules) {
  const json::Object device{
      {"platform", "Linux"}, {"deviceName", json::Object{{"$ne", 1}}}, {"linkedFrom", "me"}};
  const LoginTokens first = log_in_new("a@example.com");
  EXPECT_EQ(first.device_id, kNoDevice);
  const LoginTokens with_device = log_in("local-userpass", userpass("a@example.com"), &device);
  EXPECT_NE(with_device.device_id, kNoDevice);
  EXPECT_EQ(caller(with_device).claims.device_id, with_device.device_id);
  for (const json::Value& known :
       {json::Value(with_device.device_id), json::Value(json::Object{{"$oid", with_device.device_id}})}) {
    const json::Object again{{"platform", "Linux"}, {"deviceId", known}};
    EXPECT_EQ(log_in("local-userpass", userpass("a@example.com"), &again).device_id, with_device.device_id);
    EXPECT_NE(log_in("anon-user", {}, &again).device_id, with_device.device_id) << "not known for this user";
  }
  for (const json::Value& odd :
       {json::Value("000000000000000000000000"), json::Value("xyz"), json::Value(5)}) {
    const json::Object strange{{"deviceId", odd}};
    const LoginTokens tokens = log_in("local-userpass", userpass("a@example.com"), &strange);
    EXPECT_THAT(tokens.device_id, ContainsRegex("^[0-9a-f]{24}$"));
    EXPECT_NE(tokens.device_id, kNoDevice);
  }
  const auto devices = stores.sessions().devices(app_id, first.user_id);
  for (const Device& each : *devices) {
    if (each.id == with_device.device_id) {
      EXPECT_EQ(each.data, (json::Object{{"platform", "Linux"}}));
    }
  }
}

TEST_F(SessionServiceTest, AnonymousUsersGoAwayAfterTheirTime) {
  const LoginTokens idle = log_in("anon-user", {});
  const LoginTokens used = log_in("anon-user", {});
  clock.advance(24h * 89);
  ASSERT_TRUE(sessions.refresh(used.refresh_token.reveal()));
  ASSERT_TRUE(sessions.housekeeping());
  EXPECT_EQ(*users.remove_idle_anonymous(app(), 100), 0);
  clock.advance(24h + 1s);
  EXPECT_EQ(*users.remove_idle_anonymous(app(), 100), 1);
  EXPECT_THAT(sessions.refresh(idle.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::user_deleted));
  EXPECT_TRUE(sessions.refresh(used.refresh_token.reveal()));
}

TEST_F(SessionServiceTest, AdministratorsLogInByTheSameRules) {
  const auto realm = directory.admin_realm();
  ASSERT_TRUE(passwords.create_confirmed(*realm, "root@example.com", "admin-password"));
  const auto tokens =
      sessions.log_in(*realm, "local-userpass", userpass("root@example.com", "admin-password"), nullptr);
  ASSERT_TRUE(tokens);
  EXPECT_TRUE(sessions.check_access(tokens->access_token.reveal())->app->app.is_admin_realm);
  EXPECT_EQ(directory.by_client_app_id("admin"), nullptr);
  EXPECT_EQ(directory.by_id(realm->app.id), nullptr);
}

}  // namespace
}  // namespace keyturn::server::testing

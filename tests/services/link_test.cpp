// SPDX-License-Identifier: Apache-2.0
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

class LinkTest : public ServicesTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(passwords.register_account(app(), "a@example.com", "secret-password"));
  }
};

TEST_F(LinkTest, MakesAnAnonymousUserPermanent) {
  const LoginTokens before = log_in("anon-user", {});
  const auto linked = sessions.link(caller(before), "local-userpass", userpass("a@example.com"), nullptr);
  ASSERT_TRUE(linked);
  EXPECT_EQ(linked->user_id, before.user_id);
  const User user = *users.get(app_id, before.user_id);
  ASSERT_EQ(user.identities.size(), 2U);
  EXPECT_EQ(user.identities[1].provider_type, "local-userpass");
  EXPECT_EQ(merged_profile_data(user), (json::Object{{"email", "a@example.com"}}));
  EXPECT_EQ(log_in("local-userpass", userpass("a@example.com")).user_id, before.user_id);
}

TEST_F(LinkTest, OpensANewSessionAndKeepsTheOldSinceClientsKeepItsRefreshToken) {
  const LoginTokens before = log_in("anon-user", {});
  const auto linked = sessions.link(caller(before), "local-userpass", userpass("a@example.com"), nullptr);
  ASSERT_TRUE(linked);
  EXPECT_NE(caller(*linked).principal.session_id, caller(before).principal.session_id);
  EXPECT_TRUE(sessions.refresh(before.refresh_token.reveal()));
  EXPECT_TRUE(sessions.refresh(linked->refresh_token.reveal()));
}

TEST_F(LinkTest, LogOutOfEitherSessionEndsBoth) {
  for (const bool by_old : {true, false}) {
    const LoginTokens before = log_in("anon-user", {});
    const std::string email = by_old ? "b@example.com" : "c@example.com";
    ASSERT_TRUE(passwords.register_account(app(), email, "secret-password"));
    const auto linked = sessions.link(caller(before), "local-userpass", userpass(email), nullptr);
    ASSERT_TRUE(linked);
    const LoginTokens unrelated = log_in("local-userpass", userpass(email));
    ASSERT_TRUE(sessions.log_out((by_old ? before : *linked).refresh_token.reveal()));
    for (const LoginTokens* tokens : {&before, &*linked}) {
      EXPECT_THAT(sessions.check_access(tokens->access_token.reveal()),
                  SaysOver("invalid session", EndReason::logged_out));
      EXPECT_THAT(sessions.refresh(tokens->refresh_token.reveal()),
                  SaysOver("invalid session", EndReason::logged_out));
    }
    EXPECT_TRUE(sessions.check_access(unrelated.access_token.reveal()));
  }
}

TEST_F(LinkTest, RevokingEndsTheWholeFamilyAlsoAfterTwoLinks) {
  const LoginTokens first = log_in("anon-user", {});
  const auto second = sessions.link(caller(first), "local-userpass", userpass("a@example.com"), nullptr);
  ASSERT_TRUE(second);
  const auto third = sessions.link(caller(*second), "local-userpass", userpass("a@example.com"), nullptr);
  ASSERT_TRUE(third) << "linking the same again is no error";
  EXPECT_TRUE(*sessions.revoke(app_id, first.user_id, caller(first).principal.session_id));
  EXPECT_FALSE(sessions.check_access(second->access_token.reveal()));
  EXPECT_FALSE(sessions.check_access(third->access_token.reveal()));
}

TEST_F(LinkTest, RefusalsNeverLookLikeARefusedBearer) {
  log_in("local-userpass", userpass("a@example.com"));  // now the identity has its own user
  const LoginTokens anonymous_user = log_in("anon-user", {});
  const Caller who = caller(anonymous_user);
  EXPECT_THAT(
      sessions.link(who, "local-userpass", userpass("a@example.com"), nullptr),
      Refuses(ErrorCode::AuthError, 401, "unauthorized: a user already exists with the specified provider"));
  EXPECT_THAT(sessions.link(who, "local-userpass", userpass("a@example.com", "wrong-password"), nullptr),
              Refuses(ErrorCode::InvalidPassword, 401, "unauthorized: the credentials were not accepted"));
  EXPECT_THAT(sessions.link(who, "api-key", {{"key", "x"}}, nullptr),
              Refuses(ErrorCode::AuthError, 401, "unauthorized: the credentials were not accepted"));
  EXPECT_THAT(sessions.link(who, "anon-user", {}, nullptr),
              Refuses(ErrorCode::InternalServerError, 500, "linking an anonymous identity is not allowed"));
  EXPECT_THAT(
      sessions.link(who, "custom-token", {}, nullptr),
      Refuses(ErrorCode::AuthProviderNotFound, 404, "authentication via 'custom-token' is unsupported"));
  EXPECT_TRUE(sessions.check_access(anonymous_user.access_token.reveal()));
}

TEST_F(LinkTest, ASecondPasswordIdentityIsRefused) {
  const LoginTokens tokens = log_in("local-userpass", userpass("a@example.com"));
  ASSERT_TRUE(passwords.register_account(app(), "b@example.com", "secret-password"));
  EXPECT_THAT(
      sessions.link(caller(tokens), "local-userpass", userpass("b@example.com"), nullptr),
      Refuses(ErrorCode::InternalServerError, 500,
              "unauthorized: linking a local-userpass identity is not allowed when one is already linked"));
}

TEST_F(LinkTest, KeysOfOthersAndServerKeysCannotBeLinked) {
  const LoginTokens owner = log_in("local-userpass", userpass("a@example.com"));
  auto own = api_keys.create(caller(owner), "mine");
  auto server = api_keys.create_server_key(app(), "server");
  ASSERT_TRUE(own && server);
  const LoginTokens other = log_in("anon-user", {});
  const auto refused = Refuses(ErrorCode::AuthError, 401, "unauthorized: invalid user link request");
  EXPECT_THAT(sessions.link(caller(other), "api-key", {{"key", own->value.reveal()}}, nullptr), refused);
  EXPECT_THAT(sessions.link(caller(other), "api-key", {{"key", server->value.reveal()}}, nullptr), refused);
  EXPECT_TRUE(sessions.link(caller(owner), "api-key", {{"key", own->value.reveal()}}, nullptr));
}

TEST_F(LinkTest, ABearerThatIsRevokedMeanwhileGetsNoNewSession) {
  const LoginTokens tokens = log_in("anon-user", {});
  const Caller who = caller(tokens);
  session_store.before_open = [&] { ASSERT_TRUE(sessions.revoke_all(app_id, tokens.user_id, {})); };
  EXPECT_THAT(sessions.link(who, "local-userpass", userpass("a@example.com"), nullptr),
              SaysOver("invalid session", EndReason::revoked));
  EXPECT_TRUE(sessions.list(app_id, tokens.user_id)->empty());
}

TEST_F(LinkTest, ADeletedUserIsTold) {
  const LoginTokens tokens = log_in("anon-user", {});
  const Caller who = caller(tokens);
  ASSERT_TRUE(users.remove(app_id, tokens.user_id));
  EXPECT_THAT(sessions.link(who, "local-userpass", userpass("a@example.com"), nullptr),
              SaysOver("invalid session", EndReason::user_deleted));
}

class RaceTest : public ServicesTest {};

TEST_F(RaceTest, ALogInThatBeganBeforeAPasswordChangeDoesNotFinish) {
  ASSERT_TRUE(passwords.register_account(app(), "a@example.com", "secret-password"));
  for (const bool has_user : {false, true}) {
    session_store.before_open = [&] {
      ASSERT_TRUE(passwords.set_password(app(), "a@example.com", "another-password"));
    };
    EXPECT_THAT(sessions.log_in(app(), "local-userpass", userpass("a@example.com"), nullptr),
                Refuses(ErrorCode::InvalidPassword, 401, "unauthorized"))
        << has_user;
    ASSERT_TRUE(passwords.set_password(app(), "a@example.com", "secret-password"));
    log_in("local-userpass", userpass("a@example.com"));
  }
}

TEST_F(RaceTest, ALogInThatMeetsARevokeOfAllIsTriedAgainAndSucceeds) {
  const LoginTokens first = log_in_new("a@example.com");
  session_store.before_open = [&] { ASSERT_TRUE(sessions.revoke_all(app_id, first.user_id, {})); };
  EXPECT_TRUE(sessions.log_in(app(), "local-userpass", userpass("a@example.com"), nullptr));
}

TEST_F(RaceTest, ALogInThatMeetsADisableOrDeleteFails) {
  const LoginTokens first = log_in_new("a@example.com");
  session_store.before_open = [&] { ASSERT_TRUE(users.set_disabled(app_id, first.user_id, true)); };
  EXPECT_EQ(sessions.log_in(app(), "local-userpass", userpass("a@example.com"), nullptr).error().code,
            ErrorCode::UserDisabled);
  ASSERT_TRUE(users.set_disabled(app_id, first.user_id, false));
  session_store.before_open = [&] { ASSERT_TRUE(users.remove(app_id, first.user_id)); };
  EXPECT_THAT(sessions.log_in(app(), "local-userpass", userpass("a@example.com"), nullptr),
              Refuses(ErrorCode::InvalidPassword, 401, "unauthorized"));
}

TEST_F(RaceTest, AKeyThatIsDisabledDuringItsLogInOpensNoSession) {
  const LoginTokens owner = log_in_new("a@example.com");
  const Caller who = caller(owner);
  const auto key = api_keys.create(who, "k");
  session_store.before_open = [&] { ASSERT_TRUE(api_keys.set_disabled(who, key->key.id, true)); };
  EXPECT_THAT(sessions.log_in(app(), "api-key", {{"key", key->value.reveal()}}, nullptr),
              Refuses(ErrorCode::AuthError, 401, "unauthorized"));
  EXPECT_EQ(sessions.list(app_id, owner.user_id)->size(), 1U);
}

}  // namespace
}  // namespace keyturn::server::testing

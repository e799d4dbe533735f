// SPDX-License-Identifier: Apache-2.0
#include "tests/services/services_fixture.hpp"

namespace keyturn::server::testing {
namespace {

using ::testing::ContainsRegex;

class ApiKeyServiceTest : public ServicesTest {};

const auto kNoKey = Refuses(ErrorCode::APIKeyNotFound, 404, "API key not found");

TEST_F(ApiKeyServiceTest, AKeyLogsInAsItsOwnerWithAnIdentityOfItsOwn) {
  const LoginTokens owner = log_in_new("a@example.com");
  const auto made = api_keys.create(caller(owner), "my-key_1");
  ASSERT_TRUE(made);
  EXPECT_THAT(std::string(made->value.reveal()), ContainsRegex("^[A-Za-z0-9]{64}$"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(log_in("api-key", {{"key", made->value.reveal()}}).user_id, owner.user_id);
  }
  const User user = *users.get(app_id, owner.user_id);
  ASSERT_EQ(user.identities.size(), 2U);
  EXPECT_EQ(user.identities[1].provider_type, "api-key");
  EXPECT_EQ(user.identities[1].id, made->key.id);
}

TEST_F(ApiKeyServiceTest, DisabledAndRemovedKeysEndTheirSessions) {
  const LoginTokens owner = log_in_new("a@example.com");
  const auto made = api_keys.create(caller(owner), "k");
  const json::Object credentials{{"key", made->value.reveal()}};
  const LoginTokens by_key = log_in("api-key", credentials);
  ASSERT_TRUE(api_keys.set_disabled(caller(owner), made->key.id, true));
  ASSERT_TRUE(api_keys.set_disabled(caller(owner), made->key.id, true)) << "again is no error";
  EXPECT_THAT(sessions.check_access(by_key.access_token.reveal()),
              SaysOver("invalid session", EndReason::revoked));
  EXPECT_THAT(sessions.log_in(app(), "api-key", credentials, nullptr),
              Refuses(ErrorCode::AuthError, 401, "unauthorized"));
  ASSERT_TRUE(api_keys.set_disabled(caller(owner), made->key.id, false));
  const LoginTokens again = log_in("api-key", credentials);
  EXPECT_EQ(api_keys.remove(caller(again), made->key.id).error().http_status, 403);
  ASSERT_TRUE(api_keys.remove(caller(owner), made->key.id));
  EXPECT_THAT(sessions.check_access(again.access_token.reveal()),
              SaysOver("invalid session", EndReason::revoked));
  EXPECT_THAT(sessions.log_in(app(), "api-key", credentials, nullptr),
              Refuses(ErrorCode::AuthError, 401, "unauthorized"));
  EXPECT_TRUE(sessions.check_access(owner.access_token.reveal()));
}

TEST_F(ApiKeyServiceTest, NamesAreCheckedAndUniquePerOwner) {
  const Caller who = caller(log_in_new("a@example.com"));
  EXPECT_THAT(api_keys.create(who, ""),
              Refuses(ErrorCode::AppUnknownError, 400, "'name' is a required string"));
  for (const char* bad : {"a b", "a.b", "\xC3\xA9", "a/b"}) {
    EXPECT_THAT(api_keys.create(who, bad),
                Refuses(ErrorCode::InvalidParameter, 400,
                        "can only contain ASCII letters, numbers, underscores, and hyphens"));
  }
  ASSERT_TRUE(api_keys.create(who, "k"));
  EXPECT_THAT(api_keys.create(who, "k"),
              Refuses(ErrorCode::APIKeyAlreadyExists, 409, "API key with name already exists"));
  EXPECT_TRUE(api_keys.create(caller(log_in_new("b@example.com")), "k"));
}

TEST_F(ApiKeyServiceTest, AUserHasAtMostTwentyAndAnAppAtMostAHundred) {
  const Caller who = caller(log_in_new("a@example.com"));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(api_keys.create(who, "k" + std::to_string(i)));
  EXPECT_EQ(api_keys.create(who, "k20").error().http_status, 400);
  EXPECT_EQ(api_keys.list(who)->size(), 20U);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(api_keys.create_server_key(app(), "k" + std::to_string(i)));
  EXPECT_EQ(api_keys.create_server_key(app(), "k100").error().http_status, 400);
}

TEST_F(ApiKeyServiceTest, AnonymousUsersMayNotOwnKeysAndTheProviderMustBeEnabled) {
  EXPECT_EQ(api_keys.create(caller(log_in("anon-user", {})), "k").error().http_status, 403);
  const LoginTokens owner = log_in_new("a@example.com");
  ASSERT_TRUE(apps.set_provider_disabled(app_id, app().provider("api-key")->id, true));
  EXPECT_EQ(api_keys.create(caller(owner), "k").error().code, ErrorCode::AuthProviderNotFound);
}

TEST_F(ApiKeyServiceTest, KeysOfOthersDoNotExist) {
  const Caller who = caller(log_in_new("a@example.com"));
  const Caller other = caller(log_in_new("b@example.com"));
  const auto made = api_keys.create(who, "k");
  const auto server = api_keys.create_server_key(app(), "s");
  for (const std::string& id :
       {made->key.id, server->key.id, std::string("000000000000000000000001"), std::string("x")}) {
    EXPECT_THAT(api_keys.get(other, id), kNoKey);
    EXPECT_THAT(api_keys.remove(other, id), kNoKey);
    EXPECT_THAT(api_keys.set_disabled(other, id, true), kNoKey);
  }
  EXPECT_THAT(api_keys.get_server_key(app(), made->key.id), kNoKey);
  EXPECT_TRUE(api_keys.get(who, made->key.id));
}

TEST_F(ApiKeyServiceTest, AServerKeyIsAUserOfTypeServer) {
  const auto made = api_keys.create_server_key(app(), "backend");
  const json::Object credentials{{"key", made->value.reveal()}};
  const LoginTokens tokens = log_in("api-key", credentials);
  EXPECT_EQ(log_in("api-key", credentials).user_id, tokens.user_id);
  const User user = *users.get(app_id, tokens.user_id);
  EXPECT_EQ(user.type, UserType::server);
  EXPECT_EQ(merged_profile_data(user), (json::Object{{"name", "backend"}}));
  ASSERT_TRUE(api_keys.set_server_key_disabled(app(), made->key.id, true));
  EXPECT_THAT(sessions.refresh(tokens.refresh_token.reveal()),
              SaysOver("invalid session", EndReason::revoked));
  EXPECT_TRUE(api_keys.remove_server_key(app(), made->key.id));
  EXPECT_THAT(api_keys.remove_server_key(app(), made->key.id), kNoKey);
}

class AppServiceTest : public ServicesTest {};

TEST_F(AppServiceTest, AnAppHasAnIdOfItsNameAndADisabledApiKeyProvider) {
  const App app =
      *apps.create("My_app-1", {{"location", "DE-FF"}, {"deployment_model", "LOCAL"}, {"unknown", 1}});
  EXPECT_THAT(app.client_app_id, ContainsRegex("^My_app-1-[a-z]{5}$"));
  EXPECT_EQ(app.location, "DE-FF");
  EXPECT_EQ(app.deployment_model, "LOCAL");
  EXPECT_EQ(app.group_id, apps.group_id());
  const auto view = directory.by_client_app_id(app.client_app_id);
  ASSERT_EQ(view->providers.size(), 1U);
  EXPECT_EQ(view->providers[0].type, "api-key");
  EXPECT_TRUE(view->providers[0].disabled);
  EXPECT_TRUE(apps.create("My_app-1", {})) << "names need not be unique";
}

TEST_F(AppServiceTest, NamesOfAppsAreChecked) {
  EXPECT_TRUE(apps.create("a", {}));
  EXPECT_TRUE(apps.create(std::string(32, 'a'), {}));
  for (const std::string& bad :
       {std::string(), std::string(33, 'a'), std::string("1a"), std::string("a b"), std::string("-a")}) {
    EXPECT_EQ(apps.create(bad, {}).error().http_status, 400) << bad;
  }
  EXPECT_FALSE(apps.create("a", {{"location", 1}}));
}

TEST_F(AppServiceTest, TheAdminRealmIsMadeOnceAndIsNoApp) {
  EXPECT_FALSE(*apps.ensure_admin_realm());
  for (const auto& view : directory.all()) EXPECT_FALSE(view->app.is_admin_realm);
  EXPECT_EQ(apps.remove(directory.admin_realm()->app.id).error().http_status, 404);
}

TEST_F(AppServiceTest, EverythingIsThereAfterARestart) {
  TokenSettingsPatch patch;
  patch.access_lifetime_seconds = 600;
  set_tokens(patch);
  const LoginTokens tokens = log_in("anon-user", {});
  AppDirectory again(app_store, keys);
  ASSERT_TRUE(again.load());
  const auto view = again.by_id(app_id);
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->app.tokens.access_lifetime, 600s);
  EXPECT_EQ(view->providers.size(), 3U);
  EXPECT_NE(again.admin_realm(), nullptr);
  EXPECT_TRUE(check_token(again, tokens.access_token.reveal()));
}

TEST_F(AppServiceTest, AProviderOfATypeExistsOnce) {
  EXPECT_THAT(apps.add_provider(app_id, {{"type", "anon-user"}}),
              Refuses(ErrorCode::AuthProviderAlreadyExists, 409, "auth provider 'anon-user' already exists"));
  EXPECT_EQ(apps.add_provider(app_id, {{"type", "telepathy"}}).error().http_status, 400);
  EXPECT_EQ(apps.add_provider(app_id, {}).error().http_status, 400);
  const auto by_function =
      apps.add_provider(app_id, {{"type", "custom-function"}, {"disabled", true}, {"name", "f"}});
  ASSERT_TRUE(by_function);
  EXPECT_TRUE(by_function->disabled);
  EXPECT_EQ(by_function->name, "f");
  EXPECT_FALSE(app().provider("anon-user")->disabled) << "enabled when nothing is said";
}

TEST_F(AppServiceTest, PatchesMergeAndEnable) {
  const std::string id = app().provider("local-userpass")->id;
  EXPECT_TRUE(apps.patch_provider(
      app_id, id,
      {{"_id", id}, {"type", "local-userpass"}, {"config", json::Object{{"resetPasswordUrl", "http://x"}}}}));
  EXPECT_EQ(app().provider("local-userpass")->config,
            (json::Object{{"autoConfirm", true}, {"resetPasswordUrl", "http://x"}}));
  EXPECT_FALSE(apps.patch_provider(app_id, id, {{"config", json::Object{{"autoConfirm", "maybe"}}}}));
  EXPECT_FALSE(apps.patch_provider(app_id, id, {{"type", "anon-user"}}));
  EXPECT_EQ(apps.patch_provider(app_id, "x", {}).error().code, ErrorCode::AuthProviderNotFound);
  const std::string key_provider = app().provider("api-key")->id;
  ASSERT_TRUE(apps.set_provider_disabled(app_id, key_provider, true));
  EXPECT_TRUE(apps.patch_provider(app_id, key_provider, {{"disabled", false}}));
  EXPECT_FALSE(app().provider("api-key")->disabled);
}

TEST_F(AppServiceTest, OnlyADisabledProviderMayBeRemoved) {
  const std::string id = app().provider("anon-user")->id;
  EXPECT_EQ(apps.remove_provider(app_id, id).error().http_status, 400);
  ASSERT_TRUE(apps.set_provider_disabled(app_id, id, true));
  EXPECT_TRUE(apps.remove_provider(app_id, id));
  EXPECT_EQ(app().provider("anon-user"), nullptr);
}

TEST_F(AppServiceTest, OriginsAreChecked) {
  EXPECT_TRUE(apps.set_allowed_origins(app_id, {"http://localhost:8080", "https://shop.example"}));
  EXPECT_EQ(app().app.allowed_request_origins.size(), 2U);
  for (const char* bad : {"localhost", "http://", "http://a/b", "://x", "*", "http://a b"}) {
    EXPECT_EQ(apps.set_allowed_origins(app_id, {bad}).error().http_status, 400) << bad;
  }
  EXPECT_TRUE(apps.set_allowed_origins(app_id, {}));
}

TEST_F(AppServiceTest, SecretsHaveUniqueNamesAndAreNeverRead) {
  const auto id = apps.add_secret(app_id, "customTokenKey", Secret("My_very_confidential_secretttttt"));
  ASSERT_TRUE(id);
  EXPECT_EQ(apps.add_secret(app_id, "customTokenKey", Secret("x")).error().code,
            ErrorCode::ValueDuplicateName);
  EXPECT_TRUE(apps.put_secret(app_id, *id, "customTokenKey", Secret("y")));
  EXPECT_TRUE(apps.put_secret(app_id, *id, "renamed", Secret("y")));
  EXPECT_EQ(apps.secrets(app_id)->at(0).second, "renamed");
  EXPECT_EQ(apps.put_secret(app_id, "x", "other", Secret("y")).error().http_status, 404);
  EXPECT_FALSE(apps.add_secret(app_id, "", Secret("y")));
  EXPECT_FALSE(apps.add_secret(app_id, "a b", Secret("y")));
  EXPECT_FALSE(apps.add_secret(app_id, "empty", Secret()));
  EXPECT_TRUE(apps.remove_secret(app_id, *id));
  EXPECT_EQ(apps.remove_secret(app_id, *id).error().http_status, 404);
}

TEST_F(AppServiceTest, AnHmacSigningKeyOfTheWrongLengthIsToldAtOnce) {
  for (const auto& [name, length] : std::vector<std::pair<std::string, std::size_t>>{
           {"k31", 31}, {"k32", 32}, {"k512", 512}, {"k513", 513}}) {
    ASSERT_TRUE(apps.add_secret(app_id, name, Secret(std::string(length, 'x'))));
    const auto added = apps.add_provider(
        app_id, {{"type", "custom-token"},
                 {"config", json::Object{{"signingAlgorithm", "HS256"}}},
                 {"secret_config", json::Object{{"signingKeys", json::Array{name, "later"}}}},
                 {"disabled", true}});
    EXPECT_EQ(added.has_value(), length >= 32 && length <= 512) << length;
    if (added) {
      ASSERT_TRUE(apps.remove_provider(app_id, added->id));
    }
  }
}

TEST_F(AppServiceTest, DocumentsAreKeptAsTheyAre) {
  const auto id = apps.add_document(app_id, "functions", {{"name", "f"}, {"source", "exports = () => 1"}});
  ASSERT_TRUE(id);
  EXPECT_EQ(apps.document(app_id, "functions", *id).value()->string_at("_id"), *id);
  EXPECT_TRUE(apps.put_document(app_id, "functions", *id, json::Value(json::Object{{"name", "g"}})));
  EXPECT_EQ(apps.documents(app_id, "functions")->size(), 1U);
  EXPECT_TRUE(*apps.remove_document(app_id, "functions", *id));
  EXPECT_FALSE(*apps.remove_document(app_id, "functions", *id));
  EXPECT_EQ(apps.documents("x", "functions").error().http_status, 404);
}

TEST_F(AppServiceTest, ARemovedAppIsGone) {
  const std::string client_id = app().app.client_app_id;
  ASSERT_TRUE(apps.remove(app_id));
  EXPECT_EQ(directory.by_id(app_id), nullptr);
  EXPECT_EQ(directory.by_client_app_id(client_id), nullptr);
  EXPECT_EQ(apps.remove(app_id).error().http_status, 404);
}

}  // namespace
}  // namespace keyturn::server::testing

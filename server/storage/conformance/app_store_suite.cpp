// SPDX-License-Identifier: Apache-2.0
#include "server/storage/conformance/store_fixture.hpp"

namespace keyturn::server::conformance {
namespace {

App app(const std::string& app_id) {
  App out;
  out.id = app_id;
  out.client_app_id = "shop-abcde";
  out.name = "shop";
  out.group_id = id('9', 1);
  out.domain_id = id('9', 2);
  out.location = "DE-FF";
  out.provider_region = "aws-eu-central-1";
  out.deployment_model = "LOCAL";
  out.environment = "production";
  out.is_admin_realm = true;
  out.created = at(1) + std::chrono::microseconds(7);
  out.last_modified = at(2);
  out.tokens = {std::chrono::seconds(60), std::chrono::seconds(3'600), std::chrono::seconds(600),
                jwt::Algorithm::hs256};
  out.allowed_request_origins = {"https://a.example", "https://b.example"};
  out.end_sessions_on_password_change = false;
  out.require_bound_sessions = true;
  out.passwords = {15, false};
  out.anonymous_user_lifetime = std::chrono::hours(1);
  return out;
}

AuthProvider provider(const std::string& app_id, int number) {
  AuthProvider out;
  out.id = id('f', number);
  out.app_id = app_id;
  out.type = "custom-token";
  out.name = "custom";
  out.disabled = true;
  out.config.set("audience", json::Array{json::Value("one"), json::Value(2)});
  out.secret_config.set("signingKeys", json::Array{json::Value("key-name")});
  out.metadata_fields.emplace_back(json::Object{{"required", true}, {"name", "a.b"}});
  out.redirect_uris.emplace_back("https://a.example/done");
  return out;
}

}  // namespace

TEST_P(AppStoreConformance, KeepsEveryMemberOfAnApp) {
  const App written = app(kApp);
  ASSERT_TRUE(apps().put(written, {provider(kApp, 1)}).has_value());
  const std::vector<App> all = apps().all().value();
  ASSERT_EQ(all.size(), 1U);
  const App& read = all[0];
  EXPECT_EQ(read.id, written.id);
  EXPECT_EQ(read.client_app_id, written.client_app_id);
  EXPECT_EQ(read.name, written.name);
  EXPECT_EQ(read.group_id, written.group_id);
  EXPECT_EQ(read.domain_id, written.domain_id);
  EXPECT_EQ(read.location, written.location);
  EXPECT_EQ(read.provider_region, written.provider_region);
  EXPECT_EQ(read.deployment_model, written.deployment_model);
  EXPECT_EQ(read.environment, written.environment);
  EXPECT_EQ(read.is_admin_realm, written.is_admin_realm);
  EXPECT_EQ(read.created, written.created);
  EXPECT_EQ(read.last_modified, written.last_modified);
  EXPECT_EQ(read.tokens, written.tokens);
  EXPECT_EQ(read.allowed_request_origins, written.allowed_request_origins);
  EXPECT_EQ(read.end_sessions_on_password_change, written.end_sessions_on_password_change);
  EXPECT_EQ(read.require_bound_sessions, written.require_bound_sessions);
  EXPECT_EQ(read.passwords, written.passwords);
  EXPECT_EQ(read.anonymous_user_lifetime, written.anonymous_user_lifetime);
}

TEST_P(AppStoreConformance, ReplacesAnAppAndAddsProviders) {
  App first = app(kApp);
  ASSERT_TRUE(apps().put(first, {provider(kApp, 1)}).has_value());
  ASSERT_TRUE(apps().put(app(kOtherApp), {}).has_value());
  first.name = "renamed";
  first.tokens.refresh_idle.reset();
  ASSERT_TRUE(apps().put(first, {provider(kApp, 2)}).has_value());
  const std::vector<App> all = apps().all().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "renamed");
  EXPECT_FALSE(all[0].tokens.refresh_idle.has_value());
  EXPECT_EQ(apps().providers(kApp).value().size(), 2U);
  EXPECT_TRUE(apps().providers(kOtherApp).value().empty());
}

TEST_P(AppStoreConformance, KeepsProviders) {
  const AuthProvider written = provider(kApp, 1);
  ASSERT_TRUE(apps().put_provider(written).has_value());
  const AuthProvider read = apps().providers(kApp).value().at(0);
  EXPECT_EQ(read.id, written.id);
  EXPECT_EQ(read.app_id, written.app_id);
  EXPECT_EQ(read.type, written.type);
  EXPECT_EQ(read.name, written.name);
  EXPECT_EQ(read.disabled, written.disabled);
  EXPECT_EQ(read.config, written.config);
  EXPECT_EQ(read.secret_config, written.secret_config);
  EXPECT_EQ(read.metadata_fields, written.metadata_fields);
  EXPECT_EQ(read.redirect_uris, written.redirect_uris);
  AuthProvider enabled = written;
  enabled.disabled = false;
  ASSERT_TRUE(apps().put_provider(enabled).has_value());
  ASSERT_EQ(apps().providers(kApp).value().size(), 1U);
  EXPECT_FALSE(apps().providers(kApp).value().at(0).disabled);
  EXPECT_FALSE(apps().remove_provider(kOtherApp, written.id).value());
  EXPECT_TRUE(apps().remove_provider(kApp, written.id).value());
  EXPECT_FALSE(apps().remove_provider(kApp, written.id).value());
}

TEST_P(AppStoreConformance, KeepsSecretsAndListsNamesOnly) {
  const std::string bytes("se\0cret'\xff", 9);
  ASSERT_TRUE(apps().put_secret(kApp, id('6', 2), "second", Secret("2")).has_value());
  ASSERT_TRUE(apps().put_secret(kApp, id('6', 1), "first", Secret(bytes)).has_value());
  const auto names = apps().secrets(kApp).value();
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0], std::pair(id('6', 1), std::string("first")));
  EXPECT_TRUE(apps().secret_by_name(kApp, "first").value()->equals(bytes));
  EXPECT_FALSE(apps().secret_by_name(kApp, "third").value().has_value());
  EXPECT_FALSE(apps().secret_by_name(kOtherApp, "first").value().has_value());
  ASSERT_TRUE(apps().put_secret(kApp, id('6', 1), "first", Secret("")).has_value());
  EXPECT_TRUE(apps().secret_by_name(kApp, "first").value()->empty());
  EXPECT_TRUE(apps().remove_secret(kApp, id('6', 1)).value());
  EXPECT_FALSE(apps().remove_secret(kApp, id('6', 1)).value());
}

TEST_P(AppStoreConformance, KeepsDocumentsByKind) {
  json::Object value;
  value.set("source", "exports = () => \"it's\";\n");
  value.set("count", std::int64_t{9'007'199'254'740'993});
  value.set("ratio", 0.1);
  value.set("none", nullptr);
  ASSERT_TRUE(apps().put_document(kApp, "functions", id('5', 2), value).has_value());
  ASSERT_TRUE(apps().put_document(kApp, "functions", id('5', 1), json::Value("text")).has_value());
  ASSERT_TRUE(apps().put_document(kApp, "values", id('5', 1), json::Value(true)).has_value());
  EXPECT_EQ(apps().document(kApp, "functions", id('5', 2)).value().value(), json::Value(value));
  EXPECT_FALSE(apps().document(kApp, "values", id('5', 2)).value().has_value());
  EXPECT_FALSE(apps().document(kOtherApp, "functions", id('5', 2)).value().has_value());
  const std::vector<ConfigDocument> all = apps().documents(kApp, "functions").value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, id('5', 1));
  EXPECT_EQ(all[1].value, json::Value(value));
  ASSERT_TRUE(apps().put_document(kApp, "functions", id('5', 1), json::Value(1)).has_value());
  EXPECT_EQ(apps().document(kApp, "functions", id('5', 1)).value().value(), json::Value(1));
  EXPECT_TRUE(apps().remove_document(kApp, "functions", id('5', 1)).value());
  EXPECT_FALSE(apps().remove_document(kApp, "functions", id('5', 1)).value());
  EXPECT_TRUE(apps().document(kApp, "values", id('5', 1)).value().has_value());
}

TEST_P(AppStoreConformance, RemovingAnAppTakesAllThatBelongsToIt) {
  ASSERT_TRUE(apps().put(app(kApp), {provider(kApp, 1)}).has_value());
  ASSERT_TRUE(apps().put(app(kOtherApp), {provider(kOtherApp, 1)}).has_value());
  ASSERT_TRUE(apps().put_secret(kApp, id('6', 1), "name", Secret("x")).has_value());
  ASSERT_TRUE(apps().put_document(kApp, "values", id('5', 1), json::Value(1)).has_value());
  const PasswordAccount password = account(11, "a");
  ASSERT_TRUE(passwords().register_account(password).has_value());
  ASSERT_TRUE(passwords().add_token(email_token(1, password, EmailTokenPurpose::confirm)).has_value());
  ASSERT_TRUE(api_keys().create(api_key(1, "", "server")).has_value());
  const User mine = add_user(1);
  User theirs = user(2);
  theirs.app_id = kOtherApp;
  ASSERT_TRUE(users().create(theirs).has_value());
  const Session gone = open_session(1, mine);
  const Session kept = open_session(2, theirs);

  EXPECT_TRUE(apps().remove(kApp).value());
  EXPECT_FALSE(apps().remove(kApp).value());
  ASSERT_EQ(apps().all().value().size(), 1U);
  EXPECT_TRUE(apps().providers(kApp).value().empty());
  EXPECT_TRUE(apps().secrets(kApp).value().empty());
  EXPECT_TRUE(apps().documents(kApp, "values").value().empty());
  EXPECT_FALSE(users().find(kApp, mine.id).value().has_value());
  EXPECT_FALSE(passwords().find(kApp, "a").value().has_value());
  EXPECT_TRUE(api_keys().list(kApp, "").value().empty());
  EXPECT_FALSE(sessions().find(gone.id).value().has_value());
  EXPECT_FALSE(state(kept).ended);
  EXPECT_EQ(apps().providers(kOtherApp).value().size(), 1U);
  EXPECT_TRUE(users().find(kOtherApp, theirs.id).value().has_value());
}

}  // namespace keyturn::server::conformance

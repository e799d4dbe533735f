// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/testing/fake_clock.hpp"
#include "server/domain/accounts/api_key_service.hpp"
#include "server/domain/accounts/password_service.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/apps/app_service.hpp"
#include "server/domain/sessions/session_service.hpp"
#include "server/identity/anonymous/anonymous_provider.hpp"
#include "server/identity/api_key/api_key_provider.hpp"
#include "server/identity/custom_function/function_provider.hpp"
#include "server/identity/external_jwt/jwt_provider.hpp"
#include "server/identity/password/password_provider.hpp"
#include "server/storage/memory/memory_signing_keys.hpp"
#include "server/storage/memory/memory_stores.hpp"
#include "tests/services/failing_stores.hpp"

namespace keyturn::server::testing {

using namespace std::chrono_literals;

/// The least that Argon2id takes.
inline constexpr crypto::PasswordCost kCheap{std::size_t{8} * 1024, 1};

class OutBox final : public EmailSender {
 public:
  Result<void> send(const EmailMessage& message) override {
    if (fails) return Error(ErrorCode::ServiceUnavailable, "no mail today");
    messages.push_back(message);
    return {};
  }
  /// The value of a parameter of the link in the last mail.
  [[nodiscard]] std::string last(const std::string& name) const {
    const std::string& body = messages.back().body;
    const std::size_t at = body.find(name + "=") + name.size() + 1;
    return body.substr(at, body.find('&', at) - at);
  }
  std::vector<EmailMessage> messages;
  bool fails = false;
};

class ScriptedFunctions final : public FunctionRuntime {
 public:
  FunctionOutcome execute(const App& /*app*/, const FunctionCall& call) override {
    last_arguments = call.arguments;
    const std::string name(call.function_name);
    const auto found = functions.find(name);
    if (found == functions.end())
      return {Error(ErrorCode::FunctionNotFound, "function not found: '" + name + "'"), {}, {}};
    return {found->second(call.arguments), {}, {}};
  }
  void answer_status(const std::string& name, const char* status) {
    functions[name] = [status](const json::Array&) { return json::Value(json::Object{{"status", status}}); };
  }
  std::map<std::string, std::function<Result<json::Value>(const json::Array&)>> functions;
  json::Array last_arguments;
};

class ScriptedJwks final : public JwksFetcher {
 public:
  Result<std::string> fetch(const std::string& /*url*/) override {
    ++fetches;
    if (on_fetch) on_fetch();
    if (document.empty()) return Error(ErrorCode::ServiceUnavailable, "unreachable");
    return document;
  }
  std::string document;
  std::atomic<int> fetches = 0;
  std::function<void()> on_fetch;
};

/// A server's services over memory, with an admin realm and one app that has the usual providers.
class ServicesTest : public ::testing::Test {
 protected:
  ServicesTest() {
    EXPECT_TRUE(apps.ensure_admin_realm());
    app_id = apps.create("shop", {})->id;
    EXPECT_TRUE(apps.add_provider(app_id, {{"type", "anon-user"}}));
    EXPECT_TRUE(apps.add_provider(
        app_id, {{"type", "local-userpass"}, {"config", json::Object{{"autoConfirm", true}}}}));
    EXPECT_TRUE(apps.set_provider_disabled(app_id, app().provider("api-key")->id, false));
  }

  /// As it is now; the last one that was asked for stays alive.
  const AppView& app() { return *(held_ = directory.by_id(app_id)); }

  void configure_passwords(json::Object config) {
    ASSERT_TRUE(
        apps.patch_provider(app_id, app().provider("local-userpass")->id, {{"config", std::move(config)}}));
  }
  void set_tokens(const TokenSettingsPatch& patch) { ASSERT_TRUE(apps.set_token_settings(app_id, patch)); }

  static json::Object userpass(std::string_view email, std::string_view password = "secret-password") {
    return {{"username", email}, {"password", password}};
  }
  LoginTokens log_in(std::string_view type, const json::Object& credentials,
                     const json::Object* device = nullptr) {
    auto tokens = sessions.log_in(app(), type, credentials, device);
    if (!tokens) {
      ADD_FAILURE() << "log-in failed: " << tokens.error().message;
      return {};
    }
    return *std::move(tokens);
  }
  LoginTokens log_in_new(std::string_view email) {
    EXPECT_TRUE(passwords.register_account(app(), email, "secret-password"));
    return log_in("local-userpass", userpass(email));
  }
  Caller caller(const LoginTokens& tokens) {
    auto checked = sessions.check_access(tokens.access_token.reveal());
    if (!checked) {
      ADD_FAILURE() << "the access token is refused: " << checked.error().message;
      return {};
    }
    return *std::move(checked);
  }

  keyturn::testing::FakeClock clock;
  memory::MemoryStores stores;
  memory::MemorySigningKeys keys;
  FaultPlan faults;
  FailingSessionStore session_store{stores.sessions(), faults};
  FailingUserStore user_store{stores.users(), faults};
  FailingPasswordStore password_store{stores.passwords(), faults};
  FailingApiKeyStore api_key_store{stores.api_keys(), faults};
  FailingAppStore app_store{stores.apps(), faults};
  OutBox mail;
  ScriptedFunctions functions;
  ScriptedJwks jwks;

  AppDirectory directory{app_store, keys};
  AppService apps{directory, app_store, clock, LifetimeLimits{}};
  identity::AnonymousProvider anonymous_provider;
  identity::PasswordProvider password_provider{password_store, kCheap};
  identity::ApiKeyProvider api_key_provider{api_key_store};
  identity::JwtProvider jwt_provider{app_store, jwks, clock};
  identity::FunctionProvider function_provider{&functions, app_store};
  SessionService sessions{
      directory,
      session_store,
      user_store,
      clock,
      {&anonymous_provider, &password_provider, &api_key_provider, &jwt_provider, &function_provider}};
  UserService users{user_store, clock};
  PasswordService passwords{password_store, user_store, app_store, mail, &functions, clock, kCheap};
  ApiKeyService api_keys{api_key_store, user_store, clock};
  std::string app_id;

 private:
  std::shared_ptr<const AppView> held_;
};

/// A refusal as it goes on the wire.
MATCHER_P3(Refuses, code, status, text, "") {
  if (arg.has_value()) {
    *result_listener << "succeeded";
    return false;
  }
  const Error& error = arg.error();
  *result_listener << to_string(error.code) << " " << error.http_status << " " << error.message;
  return error.code == code && error.http_status == status && error.message == text;
}

MATCHER_P2(SaysOver, text, reason, "") {
  if (arg.has_value()) {
    *result_listener << "succeeded";
    return false;
  }
  const Error& error = arg.error();
  *result_listener << to_string(error.code) << " " << error.http_status << " " << error.message << " "
                   << to_string(error.reason);
  return error.code == ErrorCode::InvalidSession && error.http_status == 401 && error.message == text &&
         error.reason == reason;
}

}  // namespace keyturn::server::testing

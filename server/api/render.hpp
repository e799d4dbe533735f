// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/json/value.hpp"
#include "core/protocol/messages.hpp"
#include "server/domain/accounts/api_key_service.hpp"
#include "server/domain/sessions/session_service.hpp"

// What the domain knows, as the wire shows it. Pure.
namespace keyturn::server::api {

[[nodiscard]] std::string render_login(LoginTokens tokens);
[[nodiscard]] protocol::Profile profile_of(const AppView& app, const User& user);
[[nodiscard]] protocol::SessionMessage session_message(const Session& session);
[[nodiscard]] protocol::ApiKeyMessage key_message(const ApiKey& key);
[[nodiscard]] std::vector<protocol::ApiKeyMessage> key_messages(const std::vector<ApiKey>& keys);
/// With the key itself.
[[nodiscard]] protocol::ApiKeyMessage new_key_message(NewApiKey made);

// admin-api.md 2, 3, 5.
[[nodiscard]] json::Object app_to_json(const App& app);
[[nodiscard]] json::Object user_to_json(const User& user);
[[nodiscard]] json::Object device_to_json(const Device& device);
/// `whole`: with settings; never the value of a secret.
[[nodiscard]] json::Object provider_to_json(const AuthProvider& provider, bool whole);
[[nodiscard]] json::Object token_settings_to_json(const TokenSettings& settings);

}  // namespace keyturn::server::api

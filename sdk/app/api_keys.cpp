// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <keyturn/user.hpp>

#include "core/json/json.hpp"
#include "core/protocol/messages.hpp"
#include "core/protocol/routes.hpp"
#include "sdk/app/app_core.hpp"

namespace keyturn {
namespace {

/// API key calls go with the refresh token (client-api.md 11).
template <class T, class Read>
Pending<T> call(const sdk::UserCore& core, std::string method, std::string path, std::string body,
                Read read) {
  const sdk::Answer<T> answer(core.sessions().callbacks());
  auto pending = answer.pending();
  core.sessions().call(core.record(), sdk::SessionManager::Bearer::refresh, std::move(method),
                       std::move(path), std::move(body),
                       [answer, read = std::move(read)](Result<std::string> text) {
                         if (!text) {
                           answer.set(text.error());
                         } else {
                           answer.set(read(*text));
                         }
                       });
  return pending;
}

UserApiKey to_key(const protocol::ApiKeyMessage& message) {
  return {message.id, message.name, std::string(message.key.reveal()), message.disabled};
}

Result<UserApiKey> read_key(const std::string& text) {
  const auto message = protocol::parse_api_key(text);
  if (!message) return message.error();
  return to_key(*message);
}

Result<void> nothing(const std::string&) { return {}; }

}  // namespace

Pending<UserApiKey> ApiKeys::create(std::string name) const {
  return call<UserApiKey>(*core_, "POST", std::string(protocol::kApiKeysPath),
                          json::write(json::Object{{"name", std::move(name)}}), read_key);
}

Pending<std::vector<UserApiKey>> ApiKeys::list() const {
  return call<std::vector<UserApiKey>>(*core_, "GET", std::string(protocol::kApiKeysPath), {},
                                       [](const std::string& text) -> Result<std::vector<UserApiKey>> {
                                         const auto messages = protocol::parse_api_keys(text);
                                         if (!messages) return messages.error();
                                         std::vector<UserApiKey> out;
                                         for (const auto& message : *messages) out.push_back(to_key(message));
                                         return out;
                                       });
}

Pending<UserApiKey> ApiKeys::get(std::string id) const {
  return call<UserApiKey>(*core_, "GET", protocol::api_key_path(id), {}, read_key);
}

Pending<void> ApiKeys::remove(std::string id) const {
  return call<void>(*core_, "DELETE", protocol::api_key_path(id), {}, nothing);
}

Pending<void> ApiKeys::enable(std::string id) const {
  return call<void>(*core_, "PUT", protocol::api_key_switch_path(id, true), {}, nothing);
}

Pending<void> ApiKeys::disable(std::string id) const {
  return call<void>(*core_, "PUT", protocol::api_key_switch_path(id, false), {}, nothing);
}

}  // namespace keyturn

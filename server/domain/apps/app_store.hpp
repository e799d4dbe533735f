// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/types.hpp"

namespace keyturn::server {

/// A document that the admin API keeps for an app: a function, a value, a service, a rule, a schema.
struct ConfigDocument {
  std::string id;
  json::Value value;
};

/// Durable apps with their providers, secrets and documents.
///
/// Thread safety, atomicity, errors: as `SessionStore`.
class AppStore {
 public:
  virtual ~AppStore() = default;

  virtual Result<std::vector<App>> all() = 0;
  /// Stores the app and its providers in one step, or replaces an app with the same id.
  virtual Result<void> put(const App& app, const std::vector<AuthProvider>& providers_to_add) = 0;
  /// Removes the app and everything that belongs to it. False: no such app.
  virtual Result<bool> remove(std::string_view app_id) = 0;

  virtual Result<std::vector<AuthProvider>> providers(std::string_view app_id) = 0;
  /// Adds or replaces by id.
  virtual Result<void> put_provider(const AuthProvider& provider) = 0;
  virtual Result<bool> remove_provider(std::string_view app_id, std::string_view provider_id) = 0;

  /// Ids and names only, in order of id.
  virtual Result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view app_id) = 0;
  virtual Result<void> put_secret(std::string_view app_id, std::string_view secret_id, std::string_view name,
                                  const Secret& value) = 0;
  virtual Result<bool> remove_secret(std::string_view app_id, std::string_view secret_id) = 0;
  virtual Result<std::optional<Secret>> secret_by_name(std::string_view app_id, std::string_view name) = 0;

  /// Documents of a kind ("functions"), in order of id.
  virtual Result<std::vector<ConfigDocument>> documents(std::string_view app_id, std::string_view kind) = 0;
  virtual Result<std::optional<json::Value>> document(std::string_view app_id, std::string_view kind,
                                                      std::string_view id) = 0;
  virtual Result<void> put_document(std::string_view app_id, std::string_view kind, std::string_view id,
                                    const json::Value& value) = 0;
  virtual Result<bool> remove_document(std::string_view app_id, std::string_view kind,
                                       std::string_view id) = 0;
};

}  // namespace keyturn::server

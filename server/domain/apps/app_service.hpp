// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "server/domain/apps/app_store.hpp"
#include "server/domain/apps/directory.hpp"
#include "server/domain/apps/function_reference.hpp"

namespace keyturn::server {

/// Limits of lifetimes (decisions.md "lifetimes"). `--allow-short-lifetimes` lowers the minimums to one
/// second.
struct LifetimeLimits {
  std::chrono::seconds min_access{300};
  std::chrono::seconds max_access{86'400};
  std::chrono::seconds min_refresh{1'800};
  std::chrono::seconds max_refresh{157'680'000};
  std::chrono::seconds min_function{10};
  std::chrono::seconds max_function{300};
  std::chrono::seconds min_anonymous{3'600};
  std::chrono::seconds max_anonymous{315'360'000};
  [[nodiscard]] static LifetimeLimits short_ones();
};

/// Changes of token settings: absent members stay.
struct TokenSettingsPatch {
  std::optional<std::int64_t> access_lifetime_seconds;
  std::optional<std::int64_t> refresh_lifetime_seconds;
  std::optional<std::optional<std::int64_t>> refresh_idle_seconds;
  std::optional<std::string> access_algorithm;
};
/// The settings after a patch. Pure. Errors: `InvalidParameter` 400 naming the member and its range.
[[nodiscard]] Result<TokenSettings> apply(const TokenSettings& settings, const TokenSettingsPatch& patch,
                                          const LifetimeLimits& limits);

/// What becomes of users and sessions besides the tokens' lifetimes: absent members stay.
struct SessionSettingsPatch {
  std::optional<bool> end_sessions_on_password_change;
  std::optional<bool> require_bound_sessions;
  std::optional<std::int64_t> anonymous_user_lifetime_seconds;
};

/// Changes of which passwords are taken: absent members stay.
struct PasswordSettingsPatch {
  std::optional<std::int64_t> least_characters;
  std::optional<bool> refuse_common;
};

/// The rules of apps and their settings (admin-api.md 2, 4-6). Thread safety and errors: as `SessionService`.
class AppService {
 public:
  AppService(AppDirectory& directory, AppStore& store, Clock& clock, LifetimeLimits limits);

  /// Makes the hidden app of the administrators when there is none, with an enabled `local-userpass` provider
  /// that confirms at once. True: it was made just now.
  Result<bool> ensure_admin_realm();
  /// The id that groups all apps of this server; an administrator's `roles[].group_id`.
  [[nodiscard]] std::string group_id() const;

  /// `name`: a letter, then letters, digits, `_`, `-`, at most 32. The new app has a disabled `api-key`
  /// provider.
  Result<App> create(std::string_view name, const json::Object& options);
  Result<void> remove(std::string_view app_id);

  Result<AuthProvider> add_provider(std::string_view app_id, const json::Object& body);
  /// Merges `config` key by key, replaces other members (admin-api.md 5).
  Result<void> patch_provider(std::string_view app_id, std::string_view provider_id,
                              const json::Object& body);
  Result<void> set_provider_disabled(std::string_view app_id, std::string_view provider_id, bool disabled);
  /// Only a disabled provider may be removed.
  Result<void> remove_provider(std::string_view app_id, std::string_view provider_id);

  Result<TokenSettings> set_token_settings(std::string_view app_id, const TokenSettingsPatch& patch);
  /// Answers the app as it is then. Errors: `InvalidParameter` naming the member and its range.
  Result<App> set_session_settings(std::string_view app_id, const SessionSettingsPatch& patch);
  /// From 6 to 64 characters at least. Errors: `InvalidParameter` naming the member and its range.
  Result<PasswordSettings> set_password_settings(std::string_view app_id, const PasswordSettingsPatch& patch);
  /// "", "development", "testing", "qa" or "production". Errors: `InvalidParameter`.
  Result<void> set_environment(std::string_view app_id, std::string_view environment);
  /// The function that runs before a user comes into being; a name or an id, empty: none.
  Result<void> set_user_creation_function(std::string_view app_id, std::string_view function);
  /// Where custom user data is read from now on; nothing: nowhere.
  Result<void> set_user_data(std::string_view app_id, std::optional<UserDataSource> source);
  /// How long a function may run; nothing: the server's default (decisions.md "function time limit").
  Result<void> set_function_time_limit(std::string_view app_id, std::optional<std::int64_t> seconds);
  Result<void> set_allowed_origins(std::string_view app_id, std::vector<std::string> origins);

  Result<std::vector<std::pair<std::string, std::string>>> secrets(std::string_view app_id);
  /// The value of a secret, for the server's own use; nothing when there is none.
  Result<std::optional<Secret>> secret(std::string_view app_id, std::string_view name);
  /// The same of the secret that has the id, which a new name leaves alone; else of the one of that name.
  Result<std::optional<Secret>> secret(std::string_view app_id, std::string_view secret_id,
                                       std::string_view name);
  /// Answers the new secret's id.
  Result<std::string> add_secret(std::string_view app_id, std::string_view name, const Secret& value);
  Result<void> put_secret(std::string_view app_id, std::string_view secret_id, std::string_view name,
                          const Secret& value);
  Result<void> remove_secret(std::string_view app_id, std::string_view secret_id);

  // Documents that are only kept (admin-api.md tier B).
  /// Held from reading documents to storing their change: administrators take turns. Not while anything but
  /// a store is waited for.
  [[nodiscard]] std::unique_lock<std::mutex> take_turn() { return std::unique_lock(documents_mutex_); }
  Result<std::vector<ConfigDocument>> documents(std::string_view app_id, std::string_view kind);
  Result<std::optional<json::Value>> document(std::string_view app_id, std::string_view kind,
                                              std::string_view id);
  /// Answers the new document's id; stores `_id` in the document.
  Result<std::string> add_document(std::string_view app_id, std::string_view kind, json::Object document);
  Result<void> put_document(std::string_view app_id, std::string_view kind, std::string_view id,
                            json::Value document);
  Result<bool> remove_document(std::string_view app_id, std::string_view kind, std::string_view id);
  /// The stored function that a setting means; nothing when there is none.
  Result<std::optional<json::Object>> function(std::string_view app_id, const FunctionReference& reference);

 private:
  [[nodiscard]] Result<std::shared_ptr<const AppView>> find_app(std::string_view app_id) const;
  Result<AuthProvider> find_provider(std::string_view app_id, std::string_view provider_id) const;
  Result<void> check_provider(const AuthProvider& provider);
  Result<void> store_secret(std::string_view app_id, std::string_view secret_id, bool must_exist,
                            std::string_view name, const Secret& value);
  Result<void> change_app(std::string_view app_id, const std::function<Result<void>(App&)>& change);

  AppDirectory& directory_;
  AppStore& store_;
  Clock& clock_;
  LifetimeLimits limits_;
  std::mutex
      change_mutex_;  ///< Held from reading a setting to storing its change: administrators take turns.
  std::mutex documents_mutex_;
};

}  // namespace keyturn::server

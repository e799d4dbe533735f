// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/app_service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "server/domain/accounts/provider_rules.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/apps/settings.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kLongestAppName = 32;
constexpr std::size_t kLongestSecretName = 64;
constexpr std::size_t kLongestSecret = 16'384;
constexpr std::size_t kMostSecrets = 1'000;
constexpr std::size_t kMostOrigins = 100;
constexpr std::size_t kMostDocuments = 10'000;
constexpr int kNameAttempts = 16;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_character(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

bool is_app_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestAppName && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

/// "<scheme>://<host>[:port]" without path (client-api.md 1.4).
bool is_origin(std::string_view origin) {
  const std::size_t colon = origin.find("://");
  if (colon == std::string_view::npos || colon == 0 || origin.size() > 256) return false;
  const std::string_view scheme = origin.substr(0, colon);
  const std::string_view host = origin.substr(colon + 3);
  const bool scheme_is_fine =
      is_letter(scheme.front()) && std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
      });
  return scheme_is_fine && !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
           return c > ' ' && c != '/' && c != '?' && c != '#' && c != '@' && c != '\\' && c != '"' &&
                  c != 0x7F;
         });
}

Error app_not_found() { return refusal(ErrorCode::AppUnknownError, 404, "app not found"); }
Error provider_not_found() { return refusal(ErrorCode::AuthProviderNotFound, "auth provider not found"); }
Error secret_not_found() { return refusal(ErrorCode::ValueNotFound, "secret not found"); }

AuthProvider new_provider(std::string_view app_id, std::string_view type, bool disabled, WallTime now) {
  AuthProvider provider;
  provider.id = new_object_id(now);
  provider.app_id = app_id;
  provider.type = type;
  provider.name = type;
  provider.disabled = disabled;
  return provider;
}

Result<void> set_text(std::string& target, const json::Object& options, std::string_view name) {
  const json::Value* value = options.find(name);
  if (value == nullptr || value->is_null()) return {};
  const bool is_fine = value->as_string() != nullptr && value->as_string()->size() <= 64 &&
                       std::all_of(value->as_string()->begin(), value->as_string()->end(), is_name_character);
  if (!is_fine) return bad_request("'" + std::string(name) + "' must be a short name");
  if (!value->as_string()->empty()) target = *value->as_string();
  return {};
}

}  // namespace

AppService::AppService(AppDirectory& directory, AppStore& store, Clock& clock, LifetimeLimits limits)
    : directory_(directory), store_(store), clock_(clock), limits_(limits) {}

Result<std::shared_ptr<const AppView>> AppService::find_app(std::string_view app_id) const {
  auto view = directory_.by_id(app_id);
  if (view == nullptr) return app_not_found();
  return view;
}

Result<bool> AppService::ensure_admin_realm() {
  const std::scoped_lock lock(change_mutex_);
  if (directory_.admin_realm() != nullptr) return false;
  const WallTime now = clock_.wall_now();
  App app;
  app.id = new_object_id(now);
  app.client_app_id = "admin";
  app.name = "admin";
  app.group_id = new_object_id(now);
  app.domain_id = new_object_id(now);
  app.is_admin_realm = true;
  app.passwords.refuse_common = false;  // the operator gives it, and set-up scripts do (admin-api.md 1)
  app.created = app.last_modified = now;
  AuthProvider password = new_provider(app.id, "local-userpass", false, now);
  password.config.set("autoConfirm", true);
  const AuthProvider key = new_provider(app.id, "api-key", false, now);  // for programs that administer
  if (auto added = directory_.add(app, {password, key}); !added) return added.error();
  return true;
}

std::string AppService::group_id() const {
  const auto realm = directory_.admin_realm();
  return realm == nullptr ? std::string() : realm->app.group_id;
}

Result<App> AppService::create(std::string_view name, const json::Object& options) {
  if (!is_app_name(name)) {
    return bad_request(
        "an app's name must begin with a letter and have at most 32 letters, digits, '_' and '-'");
  }
  App app;
  for (auto& [member, target] : {std::pair<std::string_view, std::string*>{"location", &app.location},
                                 {"provider_region", &app.provider_region},
                                 {"deployment_model", &app.deployment_model},
                                 {"environment", &app.environment}}) {
    if (auto set = set_text(*target, options, member); !set) return set.error();
  }
  const std::scoped_lock lock(change_mutex_);
  const WallTime now = clock_.wall_now();
  for (int i = 0;
       i < kNameAttempts && (app.client_app_id.empty() || directory_.by_client_app_id(app.client_app_id));
       ++i) {
    app.client_app_id = std::string(name) + "-" + random_lower_letters(5);
  }
  if (directory_.by_client_app_id(app.client_app_id)) {
    return refusal(ErrorCode::ServiceUnavailable, "no free client app id was found");
  }
  app.id = new_object_id(now);
  app.name = name;
  app.group_id = group_id();
  app.domain_id = new_object_id(now);
  app.created = app.last_modified = now;
  if (auto added = directory_.add(app, {new_provider(app.id, "api-key", true, now)}); !added)
    return added.error();
  return app;
}

Result<void> AppService::remove(std::string_view app_id) {
  if (auto app = find_app(app_id); !app) return app.error();
  const std::scoped_lock lock(change_mutex_);
  auto removed = directory_.remove(app_id);
  if (!removed) return removed.error();
  if (!*removed) return app_not_found();
  return {};
}

Result<AuthProvider> AppService::find_provider(std::string_view app_id, std::string_view provider_id) const {
  auto app = find_app(app_id);
  if (!app) return app.error();
  const auto& providers = (*app)->providers;
  const auto found = std::find_if(providers.begin(), providers.end(),
                                  [&](const AuthProvider& p) { return p.id == provider_id; });
  if (found == providers.end()) return provider_not_found();
  return *found;
}

Result<void> AppService::check_provider(const AuthProvider& provider) {
  if (auto checked = check_provider_settings(provider); !checked) return checked;
  if (provider.type != "custom-token" || text_at(provider.config, "signingAlgorithm") != "HS256") return {};
  // Said now, since every log-in would only answer "unauthorized". A secret may still come later.
  for (const std::string& name : signing_key_names(provider)) {
    auto secret = store_.secret_by_name(provider.app_id, name);
    if (!secret) return unavailable(secret.error());
    if (*secret && ((*secret)->size() < kLeastHmacSecret || (*secret)->size() > kMostHmacSecret)) {
      return refusal(ErrorCode::InvalidParameter, "an HS256 signing key must have 32 to 512 characters");
    }
  }
  return {};
}

Result<AuthProvider> AppService::add_provider(std::string_view app_id, const json::Object& body) {
  const std::string_view type = text_at(body, "type");
  if (!is_provider_type(type)) return bad_request("'type' must name an auth provider");
  const std::scoped_lock lock(change_mutex_);
  auto app = find_app(app_id);
  if (!app) return app.error();
  if ((*app)->provider(type) != nullptr) {
    return refusal(ErrorCode::AuthProviderAlreadyExists,
                   "auth provider '" + std::string(type) + "' already exists");
  }
  AuthProvider provider = new_provider(app_id, type, false, clock_.wall_now());
  if (auto merged = merge_provider(provider, body); !merged) return merged.error();
  if (auto checked = check_provider(provider); !checked) return checked.error();
  if (auto stored = directory_.put_provider(provider); !stored) return stored.error();
  return provider;
}

Result<void> AppService::patch_provider(std::string_view app_id, std::string_view provider_id,
                                        const json::Object& body) {
  const std::scoped_lock lock(change_mutex_);
  auto provider = find_provider(app_id, provider_id);
  if (!provider) return provider.error();
  if (const json::Value* type = body.find("type");
      type != nullptr && text_at(body, "type") != provider->type) {
    return bad_request("the type of an auth provider cannot change");
  }
  if (auto merged = merge_provider(*provider, body); !merged) return merged;
  if (auto checked = check_provider(*provider); !checked) return checked;
  return directory_.put_provider(*provider);
}

Result<void> AppService::set_provider_disabled(std::string_view app_id, std::string_view provider_id,
                                               bool disabled) {
  const std::scoped_lock lock(change_mutex_);
  auto provider = find_provider(app_id, provider_id);
  if (!provider) return provider.error();
  if (provider->disabled == disabled) return {};
  provider->disabled = disabled;
  return directory_.put_provider(*provider);
}

Result<void> AppService::remove_provider(std::string_view app_id, std::string_view provider_id) {
  const std::scoped_lock lock(change_mutex_);
  auto provider = find_provider(app_id, provider_id);
  if (!provider) return provider.error();
  if (!provider->disabled) return bad_request("an auth provider must be disabled before it is removed");
  auto removed = directory_.remove_provider(app_id, provider_id);
  if (!removed) return removed.error();
  return {};
}

Result<void> AppService::change_app(std::string_view app_id,
                                    const std::function<Result<void>(App&)>& change) {
  const std::scoped_lock lock(change_mutex_);
  auto view = find_app(app_id);
  if (!view) return view.error();
  App app = (*view)->app;
  if (auto changed = change(app); !changed) return changed;
  app.last_modified = clock_.wall_now();
  return directory_.update(app);
}

Result<TokenSettings> AppService::set_token_settings(std::string_view app_id,
                                                     const TokenSettingsPatch& patch) {
  TokenSettings next;
  auto changed = change_app(app_id, [&](App& app) -> Result<void> {
    auto settings = apply(app.tokens, patch, limits_);
    if (!settings) return settings.error();
    app.tokens = next = *settings;
    return {};
  });
  if (!changed) return changed.error();
  return next;
}

Result<void> AppService::set_allowed_origins(std::string_view app_id, std::vector<std::string> origins) {
  if (origins.size() > kMostOrigins || !std::all_of(origins.begin(), origins.end(), is_origin)) {
    return bad_request("each origin must be of the form <scheme>://<host>[:<port>]");
  }
  return change_app(app_id, [&](App& app) -> Result<void> {
    app.allowed_request_origins = std::move(origins);
    return {};
  });
}

Result<std::vector<std::pair<std::string, std::string>>> AppService::secrets(std::string_view app_id) {
  if (auto app = find_app(app_id); !app) return app.error();
  auto names = store_.secrets(app_id);
  if (!names) return unavailable(names.error());
  return names;
}

Result<void> AppService::store_secret(std::string_view app_id, std::string_view secret_id, bool must_exist,
                                      std::string_view name, const Secret& value) {
  if (name.empty() || name.size() > kLongestSecretName ||
      !std::all_of(name.begin(), name.end(), is_name_character)) {
    return bad_request("a secret's name must have 1 to 64 letters, digits, '_' and '-'");
  }
  if (value.empty() || value.size() > kLongestSecret)
    return bad_request("a secret must have 1 to 16384 bytes");
  const std::scoped_lock lock(change_mutex_);
  auto known = secrets(app_id);
  if (!known) return known.error();
  const auto has = [&](const auto& is_it) { return std::any_of(known->begin(), known->end(), is_it); };
  if (must_exist && !has([&](const auto& each) { return each.first == secret_id; }))
    return secret_not_found();
  if (has([&](const auto& each) { return each.second == name && each.first != secret_id; })) {
    return refusal(ErrorCode::ValueDuplicateName, "secret name already exists");
  }
  if (!must_exist && known->size() >= kMostSecrets)
    return bad_request("an app may have at most 1000 secrets");
  if (auto stored = store_.put_secret(app_id, secret_id, name, value); !stored)
    return unavailable(stored.error());
  return {};
}

Result<std::optional<Secret>> AppService::secret(std::string_view app_id, std::string_view name) {
  auto found = store_.secret_by_name(app_id, name);
  if (!found) return unavailable(found.error());
  return found;
}

Result<std::optional<Secret>> AppService::secret(std::string_view app_id, std::string_view secret_id,
                                                 std::string_view name) {
  if (!secret_id.empty()) {
    auto known = secrets(app_id);
    if (!known) return known.error();
    const auto found =
        std::find_if(known->begin(), known->end(), [&](const auto& each) { return each.first == secret_id; });
    if (found != known->end()) return secret(app_id, found->second);
  }
  return name.empty() ? Result<std::optional<Secret>>(std::nullopt) : secret(app_id, name);
}

Result<std::string> AppService::add_secret(std::string_view app_id, std::string_view name,
                                           const Secret& value) {
  std::string id = new_object_id(clock_.wall_now());
  if (auto stored = store_secret(app_id, id, false, name, value); !stored) return stored.error();
  return id;
}

Result<void> AppService::put_secret(std::string_view app_id, std::string_view secret_id,
                                    std::string_view name, const Secret& value) {
  return store_secret(app_id, secret_id, true, name, value);
}

Result<void> AppService::remove_secret(std::string_view app_id, std::string_view secret_id) {
  if (auto app = find_app(app_id); !app) return app.error();
  auto removed = store_.remove_secret(app_id, secret_id);
  if (!removed) return unavailable(removed.error());
  if (!*removed) return secret_not_found();
  return {};
}

Result<std::vector<ConfigDocument>> AppService::documents(std::string_view app_id, std::string_view kind) {
  if (auto app = find_app(app_id); !app) return app.error();
  auto found = store_.documents(app_id, kind);
  if (!found) return unavailable(found.error());
  return found;
}

Result<std::optional<json::Value>> AppService::document(std::string_view app_id, std::string_view kind,
                                                        std::string_view id) {
  if (auto app = find_app(app_id); !app) return app.error();
  auto found = store_.document(app_id, kind, id);
  if (!found) return unavailable(found.error());
  return found;
}

Result<std::string> AppService::add_document(std::string_view app_id, std::string_view kind,
                                             json::Object document) {
  auto known = documents(app_id, kind);
  if (!known) return known.error();
  if (known->size() >= kMostDocuments) return bad_request("an app may have at most 10000 of these");
  std::string id = new_object_id(clock_.wall_now());
  document.set("_id", id);
  if (auto stored = store_.put_document(app_id, kind, id, json::Value(std::move(document))); !stored) {
    return unavailable(stored.error());
  }
  return id;
}

Result<void> AppService::put_document(std::string_view app_id, std::string_view kind, std::string_view id,
                                      json::Value document) {
  if (auto app = find_app(app_id); !app) return app.error();
  if (auto stored = store_.put_document(app_id, kind, id, document); !stored)
    return unavailable(stored.error());
  return {};
}

Result<bool> AppService::remove_document(std::string_view app_id, std::string_view kind,
                                         std::string_view id) {
  if (auto app = find_app(app_id); !app) return app.error();
  auto removed = store_.remove_document(app_id, kind, id);
  if (!removed) return unavailable(removed.error());
  return removed;
}

Result<std::optional<json::Object>> AppService::function(std::string_view app_id,
                                                         const FunctionReference& reference) {
  return find_function(store_, app_id, reference);
}

}  // namespace keyturn::server

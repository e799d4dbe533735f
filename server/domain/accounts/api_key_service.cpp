// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/api_key_service.hpp"

#include <algorithm>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kKeyLength = 64;
constexpr std::size_t kLongestKeyName = 100;

Error key_not_found() { return refusal(ErrorCode::APIKeyNotFound, "API key not found"); }

bool is_key_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) return refusal(ErrorCode::AppUnknownError, 400, "'name' is a required string");
  if (!std::all_of(name.begin(), name.end(), is_key_name_character)) {
    return refusal(ErrorCode::InvalidParameter,
                   "can only contain ASCII letters, numbers, underscores, and hyphens");
  }
  if (name.size() > kLongestKeyName)
    return refusal(ErrorCode::InvalidParameter, "'name' may have at most 100 characters");
  return {};
}

Result<NewApiKey> store_new_key(ApiKeyStore& keys, std::string_view app_id, std::string_view user_id,
                                std::string_view name, WallTime now) {
  if (auto checked = check_name(name); !checked) return checked.error();
  NewApiKey made;
  made.value = Secret(random_letters_and_digits(kKeyLength));
  made.key = {new_object_id(now),
              std::string(app_id),
              std::string(user_id),
              std::string(name),
              hash_of_api_key(made.value.reveal()),
              false};
  auto outcome = keys.create(made.key);
  if (!outcome) return unavailable(outcome.error());
  switch (*outcome) {
    case CreateKeyOutcome::created:
      break;
    case CreateKeyOutcome::name_in_use:
      return refusal(ErrorCode::APIKeyAlreadyExists, "API key with name already exists");
    case CreateKeyOutcome::too_many:
      return refusal(ErrorCode::BadRequest, user_id.empty() ? "an app may have at most 100 server API keys"
                                                            : "a user may have at most 20 API keys");
    case CreateKeyOutcome::no_user:
      return session_over("invalid session", EndReason::user_deleted);
  }
  return made;
}

Result<ApiKey> find_key(ApiKeyStore& keys, std::string_view app_id, std::string_view user_id,
                        std::string_view key_id) {
  auto found = keys.find(app_id, user_id, key_id);
  if (!found) return unavailable(found.error());
  if (!*found) return key_not_found();
  return std::move(**found);
}

Result<void> must_exist(const Result<bool>& done) {
  if (!done) return unavailable(done.error());
  if (!*done) return key_not_found();
  return {};
}

Result<std::vector<ApiKey>> listed(Result<std::vector<ApiKey>> keys) {
  if (!keys) return unavailable(keys.error());
  return keys;
}

}  // namespace

std::string hash_of_api_key(std::string_view key) { return crypto::hex_encode(crypto::sha256(key)); }

ApiKeyService::ApiKeyService(ApiKeyStore& keys, UserStore& users, Clock& clock)
    : keys_(keys), users_(users), clock_(clock) {}

Result<NewApiKey> ApiKeyService::create(const Caller& caller, std::string_view name) {
  const AuthProvider* provider = caller.app->provider("api-key");
  if (provider == nullptr || provider->disabled) return provider_unsupported("api-key");
  const Principal& who = caller.principal;
  auto user = users_.find(who.app_id, who.user_id);
  if (!user) return unavailable(user.error());
  if (!*user) return session_over("invalid session", EndReason::user_deleted);
  const auto& identities = (*user)->identities;
  if (std::all_of(identities.begin(), identities.end(),
                  [](const Identity& i) { return i.provider_type == "anon-user"; })) {
    return refusal(ErrorCode::AppUnknownError, 403, "anonymous users may not own API keys");
  }
  return store_new_key(keys_, who.app_id, who.user_id, name, clock_.wall_now());
}

Result<std::vector<ApiKey>> ApiKeyService::list(const Caller& caller) {
  return listed(keys_.list(caller.principal.app_id, caller.principal.user_id));
}

Result<ApiKey> ApiKeyService::get(const Caller& caller, std::string_view key_id) {
  return find_key(keys_, caller.principal.app_id, caller.principal.user_id, key_id);
}

Result<void> ApiKeyService::remove(const Caller& caller, std::string_view key_id) {
  const Principal& who = caller.principal;
  if (who.provider_type == "api-key") {
    return refusal(ErrorCode::AppUnknownError, 403,
                   "a session that an API key opened may not delete API keys");
  }
  return must_exist(keys_.remove(who.app_id, who.user_id, key_id, clock_.wall_now()));
}

Result<void> ApiKeyService::set_disabled(const Caller& caller, std::string_view key_id, bool disabled) {
  const Principal& who = caller.principal;
  return must_exist(keys_.set_disabled(who.app_id, who.user_id, key_id, disabled, clock_.wall_now()));
}

Result<NewApiKey> ApiKeyService::create_server_key(const AppView& app, std::string_view name) {
  return store_new_key(keys_, app.app.id, {}, name, clock_.wall_now());
}

Result<std::vector<ApiKey>> ApiKeyService::list_server_keys(const AppView& app) {
  return listed(keys_.list(app.app.id, {}));
}

Result<ApiKey> ApiKeyService::get_server_key(const AppView& app, std::string_view key_id) {
  return find_key(keys_, app.app.id, {}, key_id);
}

Result<void> ApiKeyService::remove_server_key(const AppView& app, std::string_view key_id) {
  return must_exist(keys_.remove(app.app.id, {}, key_id, clock_.wall_now()));
}

Result<void> ApiKeyService::set_server_key_disabled(const AppView& app, std::string_view key_id,
                                                    bool disabled) {
  return must_exist(keys_.set_disabled(app.app.id, {}, key_id, disabled, clock_.wall_now()));
}

}  // namespace keyturn::server

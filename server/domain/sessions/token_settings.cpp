// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "server/domain/apps/app_service.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

Result<std::chrono::seconds> within(std::string_view member, std::int64_t seconds, std::chrono::seconds least,
                                    std::chrono::seconds most) {
  if (seconds >= least.count() && seconds <= most.count()) return std::chrono::seconds(seconds);
  return refusal(ErrorCode::InvalidParameter, std::string(member) + " must be between " +
                                                  std::to_string(least.count()) + " and " +
                                                  std::to_string(most.count()));
}

}  // namespace

LifetimeLimits LifetimeLimits::short_ones() {
  LifetimeLimits limits;
  limits.min_access = std::chrono::seconds(1);
  limits.min_refresh = std::chrono::seconds(1);
  limits.min_function = std::chrono::seconds(1);
  limits.min_anonymous = std::chrono::seconds(1);
  return limits;
}

Result<TokenSettings> apply(const TokenSettings& settings, const TokenSettingsPatch& patch,
                            const LifetimeLimits& limits) {
  TokenSettings next = settings;
  if (patch.access_lifetime_seconds) {
    auto value = within("access_token_lifetime_seconds", *patch.access_lifetime_seconds, limits.min_access,
                        limits.max_access);
    if (!value) return value.error();
    next.access_lifetime = *value;
  }
  if (patch.refresh_lifetime_seconds) {
    auto value = within("refresh_token_lifetime_seconds", *patch.refresh_lifetime_seconds, limits.min_refresh,
                        limits.max_refresh);
    if (!value) return value.error();
    next.refresh_lifetime = *value;
  }
  if (patch.refresh_idle_seconds) {
    next.refresh_idle.reset();
    if (*patch.refresh_idle_seconds) {
      auto value = within("refresh_token_idle_seconds", **patch.refresh_idle_seconds, limits.min_refresh,
                          limits.max_refresh);
      if (!value) return value.error();
      next.refresh_idle = *value;
    }
  }
  if (patch.access_algorithm) {
    if (*patch.access_algorithm == "ES256") {
      next.access_algorithm = jwt::Algorithm::es256;
    } else if (*patch.access_algorithm == "HS256") {
      next.access_algorithm = jwt::Algorithm::hs256;
    } else {
      return refusal(ErrorCode::InvalidParameter, "access_token_algorithm must be ES256 or HS256");
    }
  }
  return next;
}

Result<App> AppService::set_session_settings(std::string_view app_id, const SessionSettingsPatch& patch) {
  App next;
  auto changed = change_app(app_id, [&](App& app) -> Result<void> {
    if (patch.anonymous_user_lifetime_seconds) {
      auto value = within("anonymous_user_lifetime_seconds", *patch.anonymous_user_lifetime_seconds,
                          limits_.min_anonymous, limits_.max_anonymous);
      if (!value) return value.error();
      app.anonymous_user_lifetime = *value;
    }
    if (patch.end_sessions_on_password_change) {
      app.end_sessions_on_password_change = *patch.end_sessions_on_password_change;
    }
    if (patch.require_bound_sessions) app.require_bound_sessions = *patch.require_bound_sessions;
    next = app;
    return {};
  });
  if (!changed) return changed.error();
  return next;
}

Result<PasswordSettings> AppService::set_password_settings(std::string_view app_id,
                                                           const PasswordSettingsPatch& patch) {
  constexpr std::int64_t kLeast = 6;
  constexpr std::int64_t kMost = 64;
  const auto wanted = patch.least_characters;
  if (wanted && (*wanted < kLeast || *wanted > kMost))
    return refusal(ErrorCode::InvalidParameter, "minimum_length must be between 6 and 64");
  PasswordSettings next;
  auto changed = change_app(app_id, [&](App& app) -> Result<void> {
    if (wanted) app.passwords.least_characters = static_cast<std::size_t>(*wanted);
    if (patch.refuse_common) app.passwords.refuse_common = *patch.refuse_common;
    next = app.passwords;
    return {};
  });
  if (!changed) return changed.error();
  return next;
}

Result<void> AppService::set_environment(std::string_view app_id, std::string_view environment) {
  constexpr std::array<std::string_view, 5> kEnvironments{"", "development", "testing", "qa", "production"};
  if (std::find(kEnvironments.begin(), kEnvironments.end(), environment) == kEnvironments.end()) {
    return refusal(ErrorCode::InvalidParameter,
                   "environment must be empty, development, testing, qa or production");
  }
  return change_app(app_id, [&](App& app) -> Result<void> {
    app.environment = environment;
    return {};
  });
}

Result<void> AppService::set_user_creation_function(std::string_view app_id, std::string_view function) {
  return change_app(app_id, [&](App& app) -> Result<void> {
    app.user_creation_function = function;
    return {};
  });
}

Result<void> AppService::set_user_data(std::string_view app_id, std::optional<UserDataSource> source) {
  return change_app(app_id, [&](App& app) -> Result<void> {
    app.user_data = std::move(source);
    return {};
  });
}

Result<void> AppService::set_function_time_limit(std::string_view app_id,
                                                 std::optional<std::int64_t> seconds) {
  json::Object settings;
  if (seconds) {
    auto value = within("timeout_seconds", *seconds, limits_.min_function, limits_.max_function);
    if (!value) return value.error();
    settings.set("timeout_seconds", *seconds);
  }
  return put_document(app_id, "settings", "functions_settings", std::move(settings));
}

}  // namespace keyturn::server

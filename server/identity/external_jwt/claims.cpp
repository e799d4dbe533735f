// SPDX-License-Identifier: Apache-2.0
#include "server/identity/external_jwt/claims.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/domain/accounts/identity_rules.hpp"
#include "server/domain/apps/settings.hpp"

namespace keyturn::server::identity {
namespace {

constexpr std::chrono::seconds kMostAhead{60};
constexpr std::int64_t kLatestTime = std::int64_t{1} << 40;

/// A NumericDate (RFC 7519 section 2), whole or not; nothing when absent, negative or out of range.
std::optional<WallTime> time_at(const json::Object& claims, std::string_view name) {
  const json::Value* value = claims.find(name);
  if (value == nullptr) return std::nullopt;
  std::int64_t seconds = -1;
  if (const std::int64_t* whole = value->as_int()) seconds = *whole;
  if (const double* real = value->as_double();
      real != nullptr && *real >= 0 && *real <= static_cast<double>(kLatestTime)) {
    seconds = static_cast<std::int64_t>(std::floor(*real));
  }
  if (seconds < 0 || seconds > kLatestTime) return std::nullopt;
  return WallTime(std::chrono::seconds(seconds));
}

/// Absent is fine, wrong or too far ahead is not.
bool is_past(const json::Object& claims, std::string_view name, WallTime now) {
  if (!claims.contains(name)) return true;
  const auto time = time_at(claims, name);
  return time.has_value() && *time - now <= kMostAhead;
}

/// False when a required field is missing.
bool read_metadata(const json::Object& claims, const json::Array& fields, json::Object& data) {
  for (const json::Value& field : fields) {
    const json::Object* settings = field.as_object();
    if (settings == nullptr) continue;
    const std::string_view path = text_at(*settings, "name");
    const json::Value* value = value_at(claims, path);
    if (value == nullptr) {
      if (flag_at(*settings, "required")) return false;
      continue;
    }
    const std::string_view target = text_at(*settings, "field_name");
    data.set(std::string(target.empty() ? path : target), *value);
  }
  return true;
}

}  // namespace

std::vector<std::string> wanted_audiences(const AuthProvider& provider, const App& app) {
  std::vector<std::string> wanted;
  const json::Value* audience = provider.config.find("audience");
  if (audience != nullptr && audience->as_string() != nullptr && !audience->as_string()->empty()) {
    wanted.push_back(*audience->as_string());
  }
  if (audience != nullptr && audience->as_array() != nullptr) {
    for (const json::Value& each : *audience->as_array()) {
      if (each.as_string() != nullptr && !each.as_string()->empty()) wanted.push_back(*each.as_string());
    }
  }
  if (wanted.empty()) wanted.push_back(app.client_app_id);
  return wanted;
}

bool has_audience(const json::Object& claims, const std::vector<std::string>& wanted, bool any_is_enough) {
  const json::Value* audience = claims.find("aud");
  if (audience == nullptr) return false;
  const auto holds = [&](const std::string& name) {
    if (audience->as_string() != nullptr) return *audience->as_string() == name;
    const json::Array* list = audience->as_array();
    return list != nullptr && std::any_of(list->begin(), list->end(), [&](const json::Value& each) {
             return each.as_string() != nullptr && *each.as_string() == name;
           });
  };
  return any_is_enough ? std::any_of(wanted.begin(), wanted.end(), holds)
                       : std::all_of(wanted.begin(), wanted.end(), holds);
}

std::vector<std::string> path_parts(std::string_view path) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size() && path[i + 1] == '.') {
      parts.back() += path[++i];
    } else if (path[i] == '.') {
      parts.emplace_back();
    } else {
      parts.back() += path[i];
    }
  }
  return parts;
}

const json::Value* value_at(const json::Object& claims, std::string_view path) {
  const json::Object* object = &claims;
  const json::Value* value = nullptr;
  for (const std::string& part : path_parts(path)) {
    if (object == nullptr) return nullptr;
    value = object->find(part);
    if (value == nullptr) return nullptr;
    object = value->as_object();
  }
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<ProvenIdentity> read_claims(const json::Object& claims, const App& app,
                                          const AuthProvider& provider, WallTime now) {
  const auto expires = time_at(claims, "exp");
  if (!expires || now >= *expires) return std::nullopt;
  if (!is_past(claims, "nbf", now) || !is_past(claims, "iat", now)) return std::nullopt;
  const std::string_view subject = text_at(claims, "sub");
  if (!is_identity_id(subject)) return std::nullopt;
  if (!has_audience(claims, wanted_audiences(provider, app),
                    flag_at(provider.config, "requireAnyAudience"))) {
    return std::nullopt;
  }
  ProvenIdentity proven;
  proven.identity_id = subject;
  if (!read_metadata(claims, provider.metadata_fields, proven.data)) return std::nullopt;
  return proven;
}

}  // namespace keyturn::server::identity

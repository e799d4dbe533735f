// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/provider_rules.hpp"

#include <algorithm>
#include <array>

#include "server/domain/apps/settings.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

constexpr std::array<std::string_view, 8> kProviderTypes{
    "anon-user",       "api-key",       "local-userpass",  "custom-token",
    "custom-function", "oauth2-google", "oauth2-facebook", "oauth2-apple"};
constexpr std::size_t kMostSigningKeys = 3;
constexpr std::size_t kMostListed = 64;

Error wrong_kind(std::string_view name, std::string_view wanted) {
  return refusal(ErrorCode::BadRequest, "'" + std::string(name) + "' must be " + std::string(wanted));
}

bool is_text_or_null(const json::Value& value) { return value.is_null() || value.as_string() != nullptr; }
bool is_flag_or_null(const json::Value& value) {
  return value.is_null() || value.as_bool() != nullptr ||
         (value.as_string() != nullptr &&
          (*value.as_string() == "true" || *value.as_string() == "false" || value.as_string()->empty()));
}

bool is_list_of_texts(const json::Value& value) {
  const json::Array* list = value.as_array();
  return list != nullptr && list->size() <= kMostListed &&
         std::all_of(list->begin(), list->end(),
                     [](const json::Value& v) { return v.as_string() != nullptr; });
}

template <std::size_t N>
Result<void> check_members(const json::Object& config, const std::array<std::string_view, N>& names,
                           bool (*is_right)(const json::Value&), std::string_view wanted) {
  for (const std::string_view name : names) {
    const json::Value* value = config.find(name);
    if (value != nullptr && !is_right(*value)) return wrong_kind(name, wanted);
  }
  return {};
}

/// An object member; null counts as absent.
Result<const json::Object*> object_member(const json::Object& body, std::string_view name) {
  const json::Value* value = body.find(name);
  if (value == nullptr || value->is_null()) return static_cast<const json::Object*>(nullptr);
  if (value->as_object() == nullptr) return wrong_kind(name, "an object");
  return value->as_object();
}

Result<void> replace_list(json::Array& target, const json::Object& body, std::string_view name) {
  const json::Value* value = body.find(name);
  if (value == nullptr) return {};
  if (value->is_null()) {
    target.clear();
    return {};
  }
  if (value->as_array() == nullptr || value->as_array()->size() > kMostListed)
    return wrong_kind(name, "a list of at most 64");
  target = *value->as_array();
  return {};
}

Result<void> check_password_settings(const json::Object& config) {
  constexpr std::array<std::string_view, 3> kFlags{"autoConfirm", "runConfirmationFunction",
                                                   "runResetFunction"};
  constexpr std::array<std::string_view, 8> kTexts{
      "emailConfirmationUrl",     "confirmEmailSubject",    "resetPasswordUrl",  "resetPasswordSubject",
      "confirmationFunctionName", "confirmationFunctionId", "resetFunctionName", "resetFunctionId"};
  if (auto checked = check_members(config, kFlags, is_flag_or_null, "true or false"); !checked)
    return checked;
  if (auto checked = check_members(config, kTexts, is_text_or_null, "a string"); !checked) return checked;
  for (const std::string_view name :
       {"emailConfirmationUrl", "resetPasswordUrl", "confirmEmailSubject", "resetPasswordSubject"}) {
    const std::string_view text = text_at(config, name);
    if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; })) {
      return wrong_kind(name, "one line");  // it goes into a mail
    }
  }
  return {};
}

Result<void> check_metadata_fields(const json::Array& fields) {
  for (const json::Value& field : fields) {
    const json::Object* object = field.as_object();
    const json::Value* required = object == nullptr ? nullptr : object->find("required");
    const json::Value* target = object == nullptr ? nullptr : object->find("field_name");
    if (object == nullptr || text_at(*object, "name").empty() ||
        (required != nullptr && !is_flag_or_null(*required)) ||
        (target != nullptr && !is_text_or_null(*target))) {
      return refusal(
          ErrorCode::BadRequest,
          "each of 'metadata_fields' must have a 'name', and may have 'required' and 'field_name'");
    }
  }
  return {};
}

Result<void> check_token_settings(const AuthProvider& provider) {
  const json::Object& config = provider.config;
  constexpr std::array<std::string_view, 2> kFlags{"requireAnyAudience", "useJWKURI"};
  constexpr std::array<std::string_view, 2> kTexts{"signingAlgorithm", "jwkURI"};
  if (auto checked = check_members(config, kFlags, is_flag_or_null, "true or false"); !checked)
    return checked;
  if (auto checked = check_members(config, kTexts, is_text_or_null, "a string"); !checked) return checked;
  const json::Value* audience = config.find("audience");
  if (audience != nullptr && !is_text_or_null(*audience) && !is_list_of_texts(*audience)) {
    return wrong_kind("audience", "a string or a list of strings");
  }
  const std::string_view algorithm = text_at(config, "signingAlgorithm");
  if (!algorithm.empty() && algorithm != "HS256" && algorithm != "RS256" && algorithm != "ES256") {
    return wrong_kind("signingAlgorithm", "HS256, RS256 or ES256");
  }
  if (flag_at(config, "useJWKURI")) {
    const std::string_view uri = text_at(config, "jwkURI");
    if (!uri.starts_with("https://") && !uri.starts_with("http://"))
      return wrong_kind("jwkURI", "an http or https URL");
  }
  const json::Value* keys = provider.secret_config.find("signingKeys");
  if (keys != nullptr && !is_text_or_null(*keys) && !is_list_of_texts(*keys)) {
    return wrong_kind("signingKeys", "a list of names of secrets");
  }
  if (signing_key_names(provider).size() > kMostSigningKeys)
    return wrong_kind("signingKeys", "at most 3 names of secrets");
  return check_metadata_fields(provider.metadata_fields);
}

}  // namespace

bool is_provider_type(std::string_view type) noexcept {
  return std::find(kProviderTypes.begin(), kProviderTypes.end(), type) != kProviderTypes.end();
}

Result<void> merge_provider(AuthProvider& provider, const json::Object& body) {
  if (const json::Value* name = body.find("name"); name != nullptr && !is_text_or_null(*name))
    return wrong_kind("name", "a string");
  if (const std::string_view name = text_at(body, "name"); !name.empty()) provider.name = name;
  if (const json::Value* disabled = body.find("disabled"); disabled != nullptr && !disabled->is_null()) {
    if (disabled->as_bool() == nullptr) return wrong_kind("disabled", "true or false");
    provider.disabled = *disabled->as_bool();
  }
  auto config = object_member(body, "config");
  if (!config) return config.error();
  if (*config != nullptr) {
    for (const auto& [name, value] : **config) provider.config.set(name, value);
  }
  auto secrets = object_member(body, "secret_config");
  if (!secrets) return secrets.error();
  if (*secrets != nullptr) provider.secret_config = **secrets;
  if (auto done = replace_list(provider.metadata_fields, body, "metadata_fields"); !done) return done;
  return replace_list(provider.redirect_uris, body, "redirect_uris");
}

Result<void> check_provider_settings(const AuthProvider& provider) {
  if (provider.type == "local-userpass") return check_password_settings(provider.config);
  if (provider.type == "custom-token") return check_token_settings(provider);
  if (provider.type == "custom-function") {
    constexpr std::array<std::string_view, 2> kTexts{"authFunctionName", "authFunctionId"};
    return check_members(provider.config, kTexts, is_text_or_null, "a string");
  }
  return {};
}

std::vector<std::string> signing_key_names(const AuthProvider& provider) {
  std::vector<std::string> names;
  const json::Value* keys = provider.secret_config.find("signingKeys");
  if (keys == nullptr) return names;
  if (keys->as_string() != nullptr && !keys->as_string()->empty()) names.push_back(*keys->as_string());
  if (keys->as_array() != nullptr) {
    for (const json::Value& key : *keys->as_array()) {
      if (key.as_string() != nullptr && !key.as_string()->empty()) names.push_back(*key.as_string());
    }
  }
  return names;
}

}  // namespace keyturn::server

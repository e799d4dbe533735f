// SPDX-License-Identifier: Apache-2.0
#include "server/api/data_api/config.hpp"

#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server::api {
namespace {

Error wrong(std::string_view name, std::string_view wanted) {
  return refusal(ErrorCode::InvalidParameter, "'" + std::string(name) + "' must be " + std::string(wanted));
}

const json::Value* given(const json::Object& config, std::string_view name) {
  const json::Value* value = config.find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<void> read_flag(const json::Object& config, std::string_view name, bool& out) {
  const json::Value* value = given(config, name);
  if (value == nullptr) return {};
  if (value->as_bool() == nullptr) return wrong(name, "true or false");
  out = *value->as_bool();
  return {};
}

Result<void> read_text(const json::Object& config, std::string_view name, std::string& out) {
  const json::Value* value = given(config, name);
  if (value == nullptr) return {};
  if (value->as_string() == nullptr) return wrong(name, "a string");
  out = *value->as_string();
  return {};
}

Result<void> read_validation(const json::Object& config, EndpointRules& rules) {
  std::string text;
  // One page of the hosted service's documents has the second spelling.
  for (const std::string_view name : {"verification_method", "validation_method"}) {
    if (auto read = read_text(config, name, text); !read) return read;
  }
  if (text.empty() || text == "NO_VALIDATION") return {};
  if (text == "SECRET_AS_QUERY_PARAM") {
    rules.validation = EndpointValidation::secret_in_query;
  } else if (text == "VERIFY_PAYLOAD") {
    rules.validation = EndpointValidation::signed_body;
  } else {
    return wrong("validation_method", "NO_VALIDATION, SECRET_AS_QUERY_PARAM or VERIFY_PAYLOAD");
  }
  if (rules.secret_name.empty() && rules.secret_id.empty()) {
    return wrong("secret_name", "the name of a secret, or 'secret_id' its id");
  }
  return {};
}

}  // namespace

bool is_condition(const json::Value& value) noexcept {
  return value.is_null() || value.as_object() != nullptr || value.as_bool() != nullptr;
}

json::Object default_data_api_config() {
  return {{"disabled", true},
          {"versions", json::Array{"v1"}},
          {"return_type", "JSON"},
          {"validation_method", "NO_VALIDATION"}};
}

Result<EndpointRules> read_endpoint_rules(const json::Object& config) {
  EndpointRules rules;
  rules.disabled = false;
  std::string return_type;
  for (const auto& read :
       {read_flag(config, "disabled", rules.disabled),
        read_flag(config, "create_user_on_auth", rules.create_user_on_auth),
        read_flag(config, "run_as_system", rules.run_as_system),
        read_text(config, "secret_id", rules.secret_id), read_text(config, "secret_name", rules.secret_name),
        read_text(config, "run_as_user_id", rules.run_as_user_id),
        read_text(config, "run_as_user_id_script_source", rules.run_as_script),
        read_text(config, "return_type", return_type)}) {
    if (!read) return read.error();
  }
  if (!return_type.empty()) {
    const auto format = data_format_from(return_type);
    if (!format) return wrong("return_type", "JSON or EJSON");
    rules.format = *format;
  }
  if (auto read = read_validation(config, rules); !read) return read.error();
  if (const json::Value* rule = given(config, "can_evaluate"); rule != nullptr) {
    if (!is_condition(*rule)) return wrong("can_evaluate", "an object, true or false");
    rules.can_evaluate = *rule;
  }
  return rules;
}

Result<EndpointRules> read_data_api_config(const json::Object& config) {
  const json::Value* versions = given(config, "versions");
  const json::Array* list = versions == nullptr ? nullptr : versions->as_array();
  const bool is_v1 = list != nullptr && list->size() == 1 && list->front() == json::Value("v1");
  if (!is_v1) return wrong("versions", "[\"v1\"]");
  return read_endpoint_rules(config);
}

}  // namespace keyturn::server::api

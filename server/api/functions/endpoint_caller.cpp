// SPDX-License-Identifier: Apache-2.0
#include "server/api/functions/endpoint_caller.hpp"

#include <algorithm>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/protocol/error_body.hpp"
#include "server/api/bearer.hpp"
#include "server/api/data_api/config.hpp"
#include "server/api/functions/function_calls.hpp"
#include "server/domain/accounts/user_service.hpp"
#include "server/domain/data/rule_values.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/rules/rule_expression.hpp"

namespace keyturn::server::api {
namespace {

constexpr std::string_view kNobody = "invalid session: error finding user for endpoint";
constexpr std::string_view kNoMethod = "no authentication methods were specified";
constexpr std::string_view kIncomplete =
    "must specify some form of authentication (either email+password, api-key, or jwt) in the request header "
    "or body";
constexpr std::string_view kSignature = "endpoint-signature";
constexpr std::string_view kSignatureScheme = "sha256=";

std::string_view header(const Call& call, std::string_view name) {
  return find_header(call.request.headers, name).value_or(std::string_view());
}

bool has_header(const Call& call, std::string_view name) {
  return find_header(call.request.headers, name).has_value();
}

bool is_bearer_scheme(std::string_view value) {
  constexpr std::string_view kScheme = "bearer";
  if (value.size() < kScheme.size()) return false;
  const bool fits = std::equal(kScheme.begin(), kScheme.end(), value.begin(), [](char wanted, char c) {
    return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  });
  return fits && (value.size() == kScheme.size() || value[kScheme.size()] == ' ');
}

bool has_bearer(const HttpHeaders& headers) {
  const auto value = find_header(headers, "authorization");
  return value && is_bearer_scheme(*value);
}

/// The one answer to all that is wrong with a bearer or credentials. What passes by itself is no verdict
/// (rule V1).
Error nobody(Call& call, const Error& cause) {
  const int status = protocol::status_of(cause);
  if (status < 400 || status >= 500 || status == 408 || status == 429) return cause;
  call.withheld = cause.message;
  return session_over(std::string(kNobody), cause.reason);
}

Principal principal_of(const User& user, std::string_view provider_type) {
  return {user.app_id, user.id, {}, std::string(kNoDevice), std::string(provider_type)};
}

Result<Principal> by_bearer(Call& call) {
  auto bearer = read_bearer(call.request.headers, kWantBearer);
  if (!bearer) return nobody(call, bearer.error());
  call.bearer = *bearer;
  auto caller = call.services.sessions.check_access(*bearer);
  if (!caller) return nobody(call, caller.error());
  if (caller->app->app.id != call.app_id()) {
    return nobody(call, refusal(ErrorCode::UserAppDomainMismatch, "the token belongs to another app"));
  }
  call.caller = *std::move(caller);
  return call.caller->principal;
}

struct Credentials {
  std::string_view provider_type;
  json::Object members;
};

Result<Credentials> read_credentials(const Call& call) {
  const bool has_email = has_header(call, "email");
  const bool has_password = has_header(call, "password");
  const std::string_view key = header(call, "apikey");
  const std::string_view token = header(call, "jwttokenstring");
  if (has_email && has_password) {
    return Credentials{"local-userpass",
                       {{"username", header(call, "email")}, {"password", header(call, "password")}}};
  }
  if (!key.empty()) return Credentials{"api-key", {{"key", key}}};
  if (!token.empty()) return Credentials{"custom-token", {{"token", token}}};
  const bool is_started =
      has_email || has_password || has_header(call, "apikey") || has_header(call, "jwttokenstring");
  if (is_started) return refusal(ErrorCode::MissingParameter, std::string(kIncomplete));
  return refusal(ErrorCode::InvalidParameter, std::string(kNoMethod));
}

Result<Principal> by_credentials(Call& call, const EndpointRules& rules) {
  call.has_read_credentials = true;
  auto credentials = read_credentials(call);
  if (!credentials) return credentials.error();
  // Keys and addresses were let in by somebody before; a token of another issuer may be anybody's.
  const bool may_create = credentials->provider_type != "custom-token" || rules.create_user_on_auth;
  auto user = call.services.sessions.identify(*call.app, credentials->provider_type, credentials->members,
                                              may_create, &call.origin);
  if (!user) return nobody(call, user.error());
  return principal_of(*user, credentials->provider_type);
}

Result<Principal> by_id(Call& call, std::string_view user_id) {
  auto user = call.services.users.get(call.app_id(), user_id);
  if (!user) return nobody(call, user.error());
  if (user->disabled) return nobody(call, refusal(ErrorCode::UserDisabled, "user disabled"));
  return principal_of(*user, user->identities.empty() ? "" : user->identities.front().provider_type);
}

Result<EndpointCaller> by_script(Call& call, const std::string& source) {
  if (call.services.functions == nullptr) {
    return refusal(ErrorCode::ServiceUnavailable, "this server runs no functions");
  }
  const json::Array none;
  FunctionCall wanted{"run_as_user_id_script", none};
  wanted.source = source;
  wanted.as_system = true;
  wanted.log_type = {};
  const FunctionOutcome outcome = call.services.functions->execute(call.app->app, wanted);
  if (!outcome.result) return nobody(call, outcome.result.error());
  if (outcome.result->bool_at("runAsSystem").value_or(false)) return EndpointCaller{std::nullopt, true};
  const std::string* id = outcome.result->as_string();
  if (id == nullptr) return nobody(call, refusal(ErrorCode::BadRequest, "the script gave no user"));
  auto principal = by_id(call, *id);
  if (!principal) return principal.error();
  return EndpointCaller{*std::move(principal), false};
}

Result<EndpointCaller> find_caller(Call& call, const EndpointRules& rules) {
  if (rules.run_as_system) return EndpointCaller{std::nullopt, true};
  if (!rules.run_as_script.empty()) return by_script(call, rules.run_as_script);
  Result<Principal> who = !rules.run_as_user_id.empty()      ? by_id(call, rules.run_as_user_id)
                          : has_bearer(call.request.headers) ? by_bearer(call)
                                                             : by_credentials(call, rules);
  if (!who) return who.error();
  return EndpointCaller{*std::move(who), false};
}

/// `%%user` of a condition.
Result<Ejson> user_facts(Call& call, const Principal& who) {
  auto user = call.services.users.get(call.app_id(), who.user_id);
  if (!user) return nobody(call, user.error());
  auto data = Ejson::parse(json::write(merged_profile_data(*user)));
  EjsonDocument facts{{"id", user->id},
                      {"type", user->type == UserType::server ? "server" : "normal"},
                      {"data", data ? *std::move(data) : Ejson(EjsonDocument())}};
  if (call.services.data != nullptr) {
    auto custom = call.services.data->custom_user_data(call.app->app, who.user_id);
    if (!custom) return custom.error();
    facts.set("custom_data", custom->value_or(EjsonDocument()));
  }
  return Ejson(std::move(facts));
}

}  // namespace

bool brings_password(const HttpHeaders& headers) {
  return !has_bearer(headers) && find_header(headers, "email").has_value() &&
         find_header(headers, "password").has_value();
}

Result<void> check_endpoint_secret(Call& call, const json::Object& endpoint) {
  auto rules = read_endpoint_rules(endpoint);
  if (!rules) return rules.error();
  if (rules->validation == EndpointValidation::none) return {};
  auto secret = call.services.apps.secret(call.app_id(), rules->secret_id, rules->secret_name);
  if (!secret) return secret.error();
  const auto failed = [](std::string_view why) {
    return refusal(ErrorCode::IncomingWebhookAuthFailed, 401, std::string(why));
  };
  if (!*secret) return failed("the secret of the endpoint does not exist");
  if (rules->validation == EndpointValidation::secret_in_query) {
    const std::string given = call.parameter("secret").value_or("");
    if (crypto::constant_time_equal(given, (*secret)->reveal())) return {};
    return failed("the secret is wrong or missing");
  }
  const std::string_view signature = header(call, kSignature);
  const auto digest = crypto::hmac_sha256((*secret)->reveal(), call.request.body);
  const std::string expected =
      std::string(kSignatureScheme) +
      crypto::hex_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  if (crypto::constant_time_equal(signature, expected)) return {};
  return failed("the signature is wrong or missing");
}

Result<EndpointCaller> endpoint_caller(Call& call, const json::Object& endpoint) {
  auto rules = read_endpoint_rules(endpoint);
  if (!rules) return rules.error();
  auto caller = find_caller(call, *rules);
  if (!caller) return caller.error();
  if (caller->user) call.user_id = caller->user->user_id;
  auto allowed = may_evaluate(call, rules->can_evaluate, *caller);
  if (!allowed) return allowed.error();
  if (!*allowed) return refusal(ErrorCode::NoMatchingRuleFound, "rule not matched for the endpoint");
  return caller;
}

Result<bool> may_evaluate(Call& call, const json::Value& rule_text, const EndpointCaller& caller) {
  const json::Object* members = rule_text.as_object();
  const bool is_absent = rule_text.is_null() || (members != nullptr && members->empty());
  if (is_absent || rule_text == json::Value(true)) return true;
  auto text = Ejson::parse(json::write(rule_text));
  if (!text) return refusal(ErrorCode::NoMatchingRuleFound, "a rule is no Extended JSON");
  auto rule = data::RuleExpression::compile(*text, data::RuleTopic::call);
  if (!rule) return rule.error();
  Ejson user;
  if (caller.user) {
    auto facts = user_facts(call, *caller.user);
    if (!facts) return facts.error();
    user = *std::move(facts);
  }
  Ejson values;
  if (asks_for_values(json::write(rule_text))) {
    auto all = call.services.apps.documents(call.app_id(), "values");
    if (!all) return all.error();
    values = rule_values(*all);
  }
  const Ejson environment = EjsonDocument{{"tag", call.app->app.environment}};
  auto request = Ejson::parse(json::write(function_request(call)));
  if (!request) return refusal(ErrorCode::BadRequest, "the request has no form that a rule could ask about");
  data::RuleFacts facts;
  if (caller.user) facts.user = &user;
  facts.values = &values;
  facts.environment = &environment;
  facts.request = &*request;
  return rule->holds(facts);
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#include "server/identity/custom_function/function_provider.hpp"

#include <utility>

#include "server/domain/accounts/identity_rules.hpp"
#include "server/domain/apps/function_reference.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server::identity {
namespace {

/// An id as text, or as EJSON ObjectId; empty for anything else.
std::string id_in(const json::Value& value) {
  if (value.as_string() != nullptr) return *value.as_string();
  return std::string(value.string_at("$oid").value_or(""));
}

}  // namespace

Result<ProvenIdentity> FunctionProvider::verify(const App& app, const AuthProvider& provider,
                                                const json::Object& credentials, WallTime /*now*/) {
  const FunctionReference function = function_at(provider.config, "authFunctionName", "authFunctionId");
  if (runtime_ == nullptr || function.empty()) {
    return refusal(ErrorCode::FunctionNotFound, "function not found: '" + std::string(function.text()) + "'");
  }
  auto name = function_name_of(apps_, app.id, function);
  if (!name) return name.error();
  json::Object payload = credentials;
  payload.erase("options");
  auto answer = runtime_->run(app, *name, {json::Value(std::move(payload))}, std::nullopt);
  if (!answer) {
    return is_fault_of_function(answer.error().code)
               ? refusal(ErrorCode::AuthError, 401, answer.error().message)
               : answer.error();
  }
  const json::Value* id = answer->find("id");
  ProvenIdentity proven;
  proven.identity_id = id_in(id != nullptr ? *id : *answer);
  if (!is_identity_id(proven.identity_id)) return not_accepted();
  if (id != nullptr && answer->string_at("name")) proven.data.set("name", *answer->string_at("name"));
  return proven;
}

}  // namespace keyturn::server::identity

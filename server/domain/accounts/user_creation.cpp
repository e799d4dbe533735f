// SPDX-License-Identifier: Apache-2.0
#include "server/domain/accounts/user_creation.hpp"

#include <utility>

#include "server/domain/refusal.hpp"

namespace keyturn::server {

Result<void> ask_before_creating(FunctionRuntime* runtime, const App& app, const User& user) {
  if (app.user_creation_function.empty()) return {};
  if (runtime == nullptr) return refusal(ErrorCode::ServiceUnavailable, "this server runs no functions");
  json::Array identities;
  json::Object data;
  for (const Identity& each : user.identities) {
    identities.emplace_back(json::Object{
        {"id", each.id}, {"provider_type", each.provider_type}, {"provider_id", each.provider_id}});
    for (const auto& [name, value] : each.data) data.set(name, value);
  }
  json::Array arguments;
  arguments.emplace_back(json::Object{{"id", user.id},
                                      {"type", user.type == UserType::server ? "server" : "normal"},
                                      {"data", std::move(data)},
                                      {"custom_data", json::Object()},
                                      {"identities", std::move(identities)}});
  FunctionCall call{app.user_creation_function, arguments};
  call.as_system = true;
  const FunctionOutcome outcome = runtime->execute(app, call);
  if (outcome.result) return {};
  const Error& error = outcome.result.error();
  return is_fault_of_function(error.code) ? refusal(ErrorCode::AuthError, 401, error.message) : error;
}

}  // namespace keyturn::server

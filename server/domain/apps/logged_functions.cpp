// SPDX-License-Identifier: Apache-2.0
#include "server/domain/apps/logged_functions.hpp"

#include <utility>

#include "core/base/error_codes.hpp"
#include "server/domain/accounts/random_names.hpp"
#include "server/domain/refusal.hpp"

namespace keyturn::server {
namespace {

std::string text_of(const json::Object& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value == nullptr || value->as_string() == nullptr ? std::string() : *value->as_string();
}

}  // namespace

FunctionOutcome LoggedFunctions::execute(const App& app, const FunctionCall& call) {
  AppLogEntry entry;
  entry.started = clock_.wall_now();
  FunctionOutcome outcome =
      next_ != nullptr
          ? next_->execute(app, call)
          : FunctionOutcome{refusal(ErrorCode::ServiceUnavailable, "this server runs no functions"), {}, {}};
  if (call.log_type.empty()) return outcome;
  entry.request_id = call.request_id.empty() ? new_object_id(entry.started) : std::string(call.request_id);
  entry.app_id = app.id;
  entry.user_id = call.caller ? call.caller->user_id : std::string();
  entry.domain_id = app.domain_id;
  entry.group_id = app.group_id;
  entry.type = call.log_type;
  entry.method = text_of(call.request, "httpMethod");
  entry.path = call.request_path;
  entry.function_name = call.function_name;
  entry.completed = clock_.wall_now();
  entry.messages = outcome.logs;
  entry.status = 200;
  if (!outcome.result) {
    const Error& error = outcome.result.error();
    entry.status = error.http_status != 0 ? error.http_status : base::row_of(error.code).status;
    entry.error = error.message;
    entry.error_code = to_string(error.code);
  }
  log_.add(std::move(entry));
  return outcome;
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include <keyturn/ejson.hpp>

#include "core/json/json.hpp"
#include "server/api/data_api/config.hpp"
#include "server/api/documents.hpp"
#include "server/api/functions/function_calls.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Functions of an app: their sources, trying them out, how long they may run (admin-api.md 6, decisions.md
// "function time limit").
namespace keyturn::server::api {
namespace {

constexpr std::string_view kKind = "functions";
constexpr std::size_t kLongestFunctionName = 256;
constexpr std::int64_t kDefaultSeconds = 90;

json::Object function_summary(const json::Object& function) {
  json::Object out;
  for (const std::string_view name : {"_id", "name", "last_modified"}) {
    if (const json::Value* value = function.find(name); value != nullptr) out.set(std::string(name), *value);
  }
  return out;
}

Result<void> check_flags(const json::Object& members) {
  for (const std::string_view name : {"private", "run_as_system", "disable_arg_logs"}) {
    const json::Value* value = members.find(name);
    if (value != nullptr && !value->is_null() && value->as_bool() == nullptr) {
      return refusal(ErrorCode::BadRequest, "'" + std::string(name) + "' must be true or false");
    }
  }
  for (const std::string_view name : {"run_as_user_id", "run_as_user_id_script_source"}) {
    if (auto text = optional_text(members, name); !text) return text.error();
  }
  const json::Value* rule = members.find("can_evaluate");
  if (rule != nullptr && !is_condition(*rule)) {
    return refusal(ErrorCode::BadRequest, "'can_evaluate' must be an object, true or false");
  }
  return {};
}

/// Compiles the source and runs nothing of it. What cannot be found out now is found at the first call,
/// so a server that runs no functions takes every source.
Result<void> check_source(Call& call, std::string_view name, std::string_view source) {
  if (call.services.functions == nullptr) return {};
  static const json::Array kNone;
  FunctionCall wanted{name, kNone};
  wanted.source = std::string(source);
  wanted.only_compiles = true;
  wanted.log_type = {};
  const FunctionOutcome outcome = call.services.functions->execute(call.app->app, wanted);
  if (!outcome.result && outcome.result.error().code == ErrorCode::FunctionSyntaxError) {
    return outcome.result.error();
  }
  return {};
}

/// All that is wrong with a function by itself; whether its name is free is asked when it is stored.
Result<void> check_function(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  if (name->empty() || name->size() > kLongestFunctionName) {
    return refusal(ErrorCode::InvalidParameter, "a function's name must have 1 to 256 characters");
  }
  auto source = required_text(call.members(), "source");
  if (!source) return source.error();
  if (auto checked = check_flags(call.members()); !checked) return checked;
  return check_source(call, *name, *source);
}

Result<void> check_name_is_free(Call& call, std::string_view own_id) {
  auto known = call.services.apps.documents(call.app_id(), kKind);
  if (!known) return known.error();
  const std::string& name = *call.members().find("name")->as_string();
  const bool is_taken = std::any_of(known->begin(), known->end(), [&](const ConfigDocument& each) {
    return each.id != own_id && each.value.string_at("name") == name;
  });
  if (is_taken) {
    return refusal(ErrorCode::FunctionDuplicateName, "a function of that name already exists");
  }
  return {};
}

json::Object stamped(const Call& call) {
  json::Object document = call.members();
  document.set("last_modified", unix_seconds(call.started));
  return document;
}

Result<Answer> list_functions(Call& call) {
  auto functions = call.services.apps.documents(call.app_id(), kKind);
  if (!functions) return functions.error();
  json::Array out;
  for (const ConfigDocument& each : *functions) {
    if (each.value.as_object() != nullptr) out.emplace_back(function_summary(*each.value.as_object()));
  }
  return json_answer(std::move(out));
}

Result<Answer> create_function(Call& call) {
  if (auto checked = check_function(call); !checked) return checked.error();
  const auto turn = call.services.apps.take_turn();
  if (auto free = check_name_is_free(call, {}); !free) return free.error();
  json::Object document = stamped(call);
  auto id = call.services.apps.add_document(call.app_id(), kKind, document);
  if (!id) return id.error();
  document.set("_id", *id);
  return json_answer(function_summary(document), 201);
}

Result<Answer> get_function(Call& call) {
  auto document = stored_document(call, kKind, call.arguments[2]);
  if (!document) return document.error();
  return json_answer(*std::move(document));
}

Result<Answer> put_function(Call& call) {
  const std::string& id = call.arguments[2];
  if (auto known = stored_document(call, kKind, id); !known) return known.error();
  if (auto checked = check_function(call); !checked) return checked.error();
  const auto turn = call.services.apps.take_turn();
  if (auto known = stored_document(call, kKind, id); !known) return known.error();
  if (auto free = check_name_is_free(call, id); !free) return free.error();
  json::Object document = stamped(call);
  document.set("_id", id);
  return no_content_of(call.services.apps.put_document(call.app_id(), kKind, id, std::move(document)));
}

Result<Answer> remove_function(Call& call) {
  const auto turn = call.services.apps.take_turn();
  auto removed = call.services.apps.remove_document(call.app_id(), kKind, call.arguments[2]);
  if (!removed) return removed.error();
  if (!*removed) return document_not_found(kKind);
  return no_content();
}

/// Who a function is tried out as: exactly one of `run_as_system=true` and `user_id`.
struct TrialCaller {
  std::optional<Principal> user;
  bool is_system = false;
};

Result<TrialCaller> trial_caller(Call& call) {
  TrialCaller caller;
  caller.is_system = call.parameter("run_as_system") == "true";
  const std::string user_id = call.parameter("user_id").value_or("");
  if (caller.is_system == !user_id.empty()) {
    return refusal(ErrorCode::BadRequest, "exactly one of run_as_system=true and user_id must be given");
  }
  if (caller.is_system) return caller;
  auto user = call.services.users.get(call.app_id(), user_id);
  if (!user) return user.error();
  caller.user = Principal{call.app_id(), user_id, {}, {}, {}};
  return caller;
}

/// As the client sent it: the values of an admin body have lost their EJSON types.
Result<json::Array> trial_arguments(const Call& call) {
  auto body =
      json::parse(call.request.body, {std::size_t{1024} * 1024, 100, json::DuplicateNames::last_wins});
  if (!body) return refusal(ErrorCode::BadRequest, body.error().message);
  const json::Value* given = body->find("arguments");
  if (given == nullptr || given->is_null()) return json::Array();
  if (given->as_array() == nullptr) return refusal(ErrorCode::BadRequest, "'arguments' must be an array");
  return *given->as_array();
}

/// Of a service: one action, as functions and clients call it.
FunctionOutcome try_service(Call& call, std::string_view service, std::string_view action,
                            const json::Array& arguments, const TrialCaller& caller) {
  const auto failed = [](Error error) { return FunctionOutcome{std::move(error), {}, {}}; };
  if (call.services.data == nullptr) {
    return failed(refusal(ErrorCode::ServiceNotFound, "service not found: '" + std::string(service) + "'"));
  }
  auto read = Ejson::parse(json::write(json::Value(arguments)));
  const auto* list = read ? read->get_if<EjsonArray>() : nullptr;
  const auto* only = list != nullptr && list->size() == 1 ? list->front().get_if<EjsonDocument>() : nullptr;
  if (only == nullptr) {
    return failed(refusal(ErrorCode::BadRequest, "a service takes one object as its argument"));
  }
  auto result =
      call.services.data->call(call.app->app, {caller.user, caller.is_system}, service, action, *only);
  if (!result) return failed(result.error());
  auto value = json::parse(result->to_canonical(), {std::size_t{64} * 1024 * 1024, 200});
  if (!value) return failed(refusal(ErrorCode::ReadSizeLimitExceeded, "the result is too large"));
  return {*std::move(value), {}, {}};
}

bool is_functions_own_fault(ErrorCode code) {
  constexpr std::array<ErrorCode, 5> kNone{ErrorCode::FunctionNotFound, ErrorCode::TooManyRequests,
                                           ErrorCode::ServiceUnavailable, ErrorCode::ServiceNotFound,
                                           ErrorCode::BadRequest};
  return std::find(kNone.begin(), kNone.end(), code) == kNone.end();
}

Result<Answer> execute(Call& call) {
  auto name = required_text(call.members(), "name");
  if (!name) return name.error();
  auto service = optional_text(call.members(), "service");
  if (!service) return service.error();
  auto arguments = trial_arguments(call);
  if (!arguments) return arguments.error();
  auto caller = trial_caller(call);
  if (!caller) return caller.error();

  FunctionCall wanted{*name, *arguments, caller->user, function_request(call)};
  wanted.as_system = caller->is_system;
  FunctionOutcome outcome = service->empty() ? run_function(call, std::move(wanted))
                                             : try_service(call, *service, *name, *arguments, *caller);
  if (!outcome.result && !is_functions_own_fault(outcome.result.error().code)) return outcome.result.error();
  json::Array logs;
  for (const std::string& line : outcome.logs) logs.emplace_back(line);
  json::Object answer{{"result", json::Value()}, {"logs", std::move(logs)}};
  if (outcome.result) {
    answer.set("result", *std::move(outcome.result));
  } else {
    answer.set("error", outcome.result.error().message);
    answer.set("error_code", to_string(outcome.result.error().code));
  }
  answer.set("stats",
             json::Object{{"execution_time", std::to_string(outcome.run_time.count()) + "\xC2\xB5s"}});
  return json_answer(std::move(answer));
}

Result<Answer> get_function_settings(Call& call) {
  auto settings = stored_settings(call, "functions_settings", {});
  if (!settings) return settings.error();
  const json::Value* own = settings->find("timeout_seconds");
  return json_answer(json::Object{{"timeout_seconds", own != nullptr ? *own : json::Value(kDefaultSeconds)}});
}

Result<Answer> patch_function_settings(Call& call) {
  for (const auto& [name, value] : call.members()) {
    if (name != "timeout_seconds") return refusal(ErrorCode::InvalidParameter, "unknown function setting");
    if (!value.is_null() && value.as_int() == nullptr) {
      return refusal(ErrorCode::BadRequest, "'timeout_seconds' must be an integer");
    }
    const auto seconds = value.is_null() ? std::nullopt : std::optional<std::int64_t>(*value.as_int());
    auto changed = call.services.apps.set_function_time_limit(call.app_id(), seconds);
    if (!changed) return changed.error();
  }
  return get_function_settings(call);
}

}  // namespace

const std::vector<Route>& admin_function_routes() {
  using protocol::Lane;
  constexpr Auth kAuth = Auth::admin;
  constexpr Body kObject = Body::admin_object;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/functions", Lane::storage, kAuth, Body::ignored, list_functions},
      {"POST", "/groups/{}/apps/{}/functions", Lane::function, kAuth, kObject, create_function},
      {"GET", "/groups/{}/apps/{}/functions/{}", Lane::storage, kAuth, Body::ignored, get_function},
      {"PUT", "/groups/{}/apps/{}/functions/{}", Lane::function, kAuth, kObject, put_function},
      {"DELETE", "/groups/{}/apps/{}/functions/{}", Lane::storage, kAuth, Body::ignored, remove_function},
      {"POST", "/groups/{}/apps/{}/debug/execute_function", Lane::function, kAuth, kObject, execute},
      {"GET", "/groups/{}/apps/{}/functions_settings", Lane::storage, kAuth, Body::ignored,
       get_function_settings},
      {"PATCH", "/groups/{}/apps/{}/functions_settings", Lane::storage, kAuth, kObject,
       patch_function_settings},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

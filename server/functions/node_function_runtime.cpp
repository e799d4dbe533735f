// SPDX-License-Identifier: Apache-2.0
#include "server/functions/node_function_runtime.hpp"

#include <algorithm>
#include <utility>

#include "core/json/json.hpp"
#include "server/domain/data/rule_values.hpp"
#include "server/domain/refusal.hpp"
#include "server/functions/can_evaluate.hpp"

namespace keyturn::server::functions {
namespace {

// A worker may die before it reads its call; when this many do so in a row, it is no accident.
constexpr int kWorkersOfACall = 3;
constexpr std::string_view kTimeOver = "execution time limit exceeded";
constexpr std::string_view kNoAnswer = "the function ended without an answer";

json::Value undefined() { return json::Object{{"$undefined", true}}; }

Error failure(const WorkerFailure& failure) {
  switch (failure.kind) {
    case FailureKind::syntax:
      return refusal(ErrorCode::FunctionSyntaxError, failure.message);
    case FailureKind::invalid:
      return refusal(ErrorCode::FunctionInvalid, failure.message);
    case FailureKind::not_callable:
      return refusal(ErrorCode::NotCallable, failure.message);
    case FailureKind::thrown:
      break;
  }
  return refusal(ErrorCode::FunctionExecutionError, failure.message);
}

json::Object too_large() {
  return {{"e", json::Object{{"message", "the answer is too large"},
                             {"code", to_string(ErrorCode::FunctionExecutionError)}}}};
}

json::Value date_of(WallTime time) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return json::Object{{"$date", json::Object{{"$numberLong", std::to_string(since)}}}};
}

json::Object default_user(const std::optional<Principal>& caller, bool as_system) {
  json::Object user{{"id", caller ? caller->user_id : std::string()},
                    {"type", as_system ? "system" : "normal"},
                    {"data", json::Object()},
                    {"custom_data", json::Object()},
                    {"identities", json::Array()}};
  return user;
}

Result<WorkerCommand> command_of(const RuntimeOptions& options) {
  auto program = load_worker_program(options.function_host);
  if (!program) return program.error();
  return WorkerCommand{options.launcher, options.node, *std::move(program), options.node_flags,
                       options.data_limit_bytes};
}

}  // namespace

/// One call as the server knows it: the worker's questions are answered from this, whatever they say.
struct NodeFunctionRuntime::Frame {
  const App& app;
  std::optional<Principal> caller;
  bool as_system = false;
  int depth = 1;
  std::int64_t id = 0;
  std::size_t requests = 0;
  BootTime deadline;
  std::chrono::microseconds spent{
      0};  ///< By the script that says who to run as: the time limit is one for both.
  const json::Object& request;
  bool was_async = false;
};

NodeFunctionRuntime::NodeFunctionRuntime(RuntimeOptions options, WorkerCommand command, AppStore& apps,
                                         FunctionHost* host, Clock& clock)
    : options_(std::move(options)),
      host_(host),
      clock_(clock),
      catalog_(apps),
      limits_(options_.calls_per_app, options_.calls_per_user, options_.running_per_user),
      packages_(options_.packages),
      pool_(std::move(command), options_.pool, clock) {}

Result<std::unique_ptr<NodeFunctionRuntime>> NodeFunctionRuntime::create(RuntimeOptions options,
                                                                         AppStore& apps, FunctionHost* host,
                                                                         Clock& clock) {
  auto command = command_of(options);
  if (!command) return command.error();
  return std::unique_ptr<NodeFunctionRuntime>(
      new NodeFunctionRuntime(std::move(options), *std::move(command), apps, host, clock));
}

FunctionOutcome NodeFunctionRuntime::execute(const App& app, const FunctionCall& call) {
  auto place = limits_.enter(app.id, call.caller ? call.caller->user_id : std::string());
  const BootTime queue_deadline = clock_.boot_now() + options_.queue_deadline;
  if (!place || !place.wait_for_turn(queue_deadline, clock_)) {
    return {refusal(ErrorCode::TooManyRequests, "too many functions are running"), {}, {}};
  }
  return execute_within(nullptr, app, call, queue_deadline);
}

FunctionOutcome NodeFunctionRuntime::execute_within(const Frame* outer, const App& app,
                                                    const FunctionCall& call, BootTime queue_deadline) {
  auto definition = definition_for(app, call);
  if (!definition) return {definition.error(), {}, {}};
  const FunctionDefinition& function = **definition;
  auto limit = limit_for(app);
  if (!limit) return {limit.error(), {}, {}};

  Frame frame{app,
              call.caller,
              call.as_system || function.runs_as_system,
              outer == nullptr ? 1 : outer->depth + 1,
              next_call_++,
              0,
              {},
              {},
              call.request,
              false};
  if (call.is_from_client) {
    // Asked about who calls, not about who the function runs as.
    if (const auto allowed = ask_rule(frame, call, function); !allowed) return {allowed.error(), {}, {}};
  }
  if (const auto set = set_identity(outer, frame, call, function, queue_deadline); !set)
    return {set.error(), {}, {}};
  const auto context = context_for(frame, call);
  if (!context) return {context.error(), {}, {}};
  const std::string body = call_body(call.arguments, *context);
  if (body.size() > kMaxSentFrameBytes)
    return {refusal(ErrorCode::FunctionExecutionError, "the arguments are too large"), {}, {}};

  const BootTime outer_deadline = outer == nullptr ? BootTime::max() : outer->deadline;
  for (int workers = 1;; ++workers) {
    auto lease = pool_.acquire(app.id, outer != nullptr, queue_deadline);
    if (!lease) return {lease.error(), {}, {}};
    const BootTime begin = clock_.boot_now();
    frame.deadline = std::min(begin + (*limit - frame.spent), outer_deadline);
    lease->run_until(frame.deadline);
    FunctionOutcome outcome{refusal(ErrorCode::ExecutionTimeLimitExceeded, std::string(kTimeOver)), {}, {}};
    CallHead head{frame.id, function.name, function.hash, std::nullopt, call.only_compiles};
    if (!lease->worker().note_source(function.hash)) head.source = function.source;
    const auto sent = lease->worker().send(call_frames(head, body), frame.deadline, clock_);
    const bool is_unread = sent == WorkerProcess::Io::closed ||
                           (sent == WorkerProcess::Io::done && !converse(frame, *lease, outcome));
    // A worker that died before it read the call never began it, so another may have it.
    if (is_unread && workers < kWorkersOfACall && clock_.boot_now() < queue_deadline) continue;
    if (sent == WorkerProcess::Io::closed)
      outcome.result = refusal(ErrorCode::InternalServerError, std::string(kNoAnswer));
    if (!outcome.result && pool_.has_finished())
      outcome.result = refusal(ErrorCode::ServiceUnavailable, "the server is stopping");
    outcome.run_time = clock_.boot_now() - begin;
    outcome.was_async = frame.was_async;
    return outcome;
  }
}

Result<void> NodeFunctionRuntime::ask_rule(const Frame& frame, const FunctionCall& call,
                                           const FunctionDefinition& function) {
  const json::Object* members = function.can_evaluate.as_object();
  if (function.can_evaluate.is_null() || (members != nullptr && members->empty())) return {};
  auto facts = context_for(frame, call);
  if (!facts) return facts.error();
  if (host_ != nullptr && asks_for_values(json::write(function.can_evaluate))) {
    auto values = host_->call(frame.app, frame.caller, frame.as_system, "values.all", {});
    if (!values) return values.error();
    facts->set("values", *std::move(values));
  }
  std::string message = "rule not matched for function \"" + function.name + "\"";
  const auto allowed = may_evaluate(function.can_evaluate, *facts);
  if (allowed && *allowed) return {};
  if (!allowed) message += ": " + allowed.error().message;
  return refusal(ErrorCode::FunctionExecutionError, std::move(message));
}

Result<void> NodeFunctionRuntime::set_identity(const Frame* outer, Frame& frame, const FunctionCall& call,
                                               const FunctionDefinition& function, BootTime queue_deadline) {
  std::string user_id = function.run_as_user_id;
  if (frame.as_system || (user_id.empty() && function.run_as_script.empty())) return {};
  if (user_id.empty()) {
    const json::Array none;
    FunctionCall script{"run_as_user_id_script", none, frame.caller, call.request};
    script.source = function.run_as_script;
    script.as_system = true;
    const FunctionOutcome outcome = execute_within(outer, frame.app, script, queue_deadline);
    frame.spent = std::chrono::duration_cast<std::chrono::microseconds>(outcome.run_time);
    if (!outcome.result) return outcome.result.error();
    frame.as_system = outcome.result->bool_at("runAsSystem").value_or(false);
    if (frame.as_system) return {};
    const std::string* id = outcome.result->as_string();
    if (id == nullptr || id->empty()) {
      return refusal(ErrorCode::FunctionExecutionError,
                     "the script of function \"" + function.name + "\" gave no user to run as");
    }
    user_id = *id;
  }
  frame.caller = Principal{frame.app.id, std::move(user_id), {}, {}, {}};
  if (host_ == nullptr) return {};
  // Whoever was locked out or is gone runs nothing, whoever names the user.
  const auto active = host_->call(frame.app, frame.caller, false, "user.is_active", {});
  if (!active) return active.error();
  if (*active == json::Value(true)) return {};
  return refusal(ErrorCode::FunctionExecutionError,
                 "the user to run function \"" + function.name + "\" as does not exist or is disabled");
}

Result<std::shared_ptr<const FunctionDefinition>> NodeFunctionRuntime::definition_for(
    const App& app, const FunctionCall& call) {
  if (call.source) {
    auto given = std::make_shared<FunctionDefinition>();
    given->name = call.function_name;
    given->source = *call.source;
    given->hash = hash_of(*call.source);
    return std::shared_ptr<const FunctionDefinition>(std::move(given));
  }
  auto found = catalog_.find(app.id, call.function_name);
  if (found && call.is_from_client && (*found)->is_private) {
    return refusal(ErrorCode::FunctionNotFound,
                   "function not found: '" + std::string(call.function_name) + "'");
  }
  return found;
}

Result<json::Object> NodeFunctionRuntime::context_for(const Frame& frame, const FunctionCall& call) {
  json::Object context{
      {"user", default_user(frame.caller, frame.as_system)},
      {"environment", json::Object{{"tag", frame.app.environment}, {"values", json::Object()}}},
      {"request", call.request},
      {"app", json::Object{{"id", frame.app.id},
                           {"clientAppId", frame.app.client_app_id},
                           {"name", frame.app.name},
                           {"projectId", frame.app.group_id},
                           {"lastDeployed", date_of(frame.app.last_modified)},
                           {"deployment", json::Object{{"model", frame.app.deployment_model},
                                                       {"providerRegion", frame.app.provider_region}}}}},
      {"running_as_system", frame.as_system}};
  if (host_ == nullptr) return context;
  auto more =
      host_->call(frame.app, frame.caller, frame.as_system, "context.get", {json::Value(call.function_name)});
  if (!more) return more.error();  // running for somebody half known would be worse
  for (const char* name : {"user", "environment", "app"}) {
    if (const json::Value* value = more->find(name)) context.set(name, *value);
  }
  return context;
}

Result<std::chrono::milliseconds> NodeFunctionRuntime::limit_for(const App& app) {
  auto own = catalog_.time_limit(app.id);
  if (!own) return own.error();
  return std::chrono::milliseconds(
      std::min(own->value_or(options_.default_time_limit), options_.longest_time_limit));
}

/// Serves the worker until the call ends. Leaves the outcome's time-limit error when the deadline passes; the
/// lease then goes without `keep`, which kills. False: the worker ended before it had read the call.
bool NodeFunctionRuntime::converse(Frame& frame, WorkerPool::Lease& lease, FunctionOutcome& outcome) {
  WorkerProcess& worker = lease.worker();
  for (bool is_first = true;; is_first = false) {
    WorkerMessage message;
    const auto io = worker.receive(message, frame.deadline, clock_);
    if (io == WorkerProcess::Io::late ||
        (io != WorkerProcess::Io::done && clock_.boot_now() >= frame.deadline)) {
      return true;
    }
    if (io == WorkerProcess::Io::done) {
      if (auto* result = std::get_if<WorkerResult>(&message); result != nullptr && result->call == frame.id) {
        frame.was_async = result->is_async;
        outcome.logs = std::move(result->logs);
        outcome.result = std::move(result->value);
        lease.keep();
        return true;
      }
      if (auto* thrown = std::get_if<WorkerFailure>(&message);
          thrown != nullptr && thrown->call == frame.id) {
        frame.was_async = thrown->is_async;
        outcome.logs = std::move(thrown->logs);
        outcome.result = failure(*thrown);
        lease.keep();
        return true;
      }
      if (auto* request = std::get_if<WorkerRequest>(&message);
          request != nullptr && request->call == frame.id) {
        if (clock_.boot_now() >= frame.deadline) return true;
        std::string reply = answer_frame(request->rpc, answer(frame, *request));
        if (reply.size() > kMaxSentFrameBytes) reply = answer_frame(request->rpc, too_large());
        const auto sent = worker.send(reply, frame.deadline, clock_);
        if (sent == WorkerProcess::Io::late) return true;
        if (sent == WorkerProcess::Io::done) continue;
      }
    }
    outcome.result = refusal(ErrorCode::InternalServerError, std::string(kNoAnswer));
    return !is_first || io != WorkerProcess::Io::unread;
  }
}

json::Object NodeFunctionRuntime::answer(Frame& frame, WorkerRequest& request) {
  const auto fault = [](std::string message, ErrorCode code) {
    return json::Object{{"e", json::Object{{"message", std::move(message)}, {"code", to_string(code)}}}};
  };
  if (request.method == "packages.get") return packages_.answer(frame.app.id, request.arguments);
  if (++frame.requests > options_.max_requests) {
    return fault("a function may ask the server " + std::to_string(options_.max_requests) + " times",
                 ErrorCode::FunctionExecutionError);
  }
  if (request.method == "functions.execute") return execute_nested(frame, request);
  const bool is_known =
      request.method == "values.get" || request.method == "services.get" || request.method == "services.call";
  if (!is_known) return fault("unknown method", ErrorCode::BadRequest);
  if (host_ == nullptr) {
    if (request.method == "services.get") return {{"v", false}};
    return {{"v", undefined()}};
  }
  auto value = host_->call(frame.app, frame.caller, frame.as_system, request.method, request.arguments);
  if (!value) return fault(value.error().message, value.error().code);
  return {{"v", *std::move(value)}};
}

json::Object NodeFunctionRuntime::execute_nested(Frame& frame, WorkerRequest& request) {
  const auto thrown = [](std::string message) { return json::Object{{"x", std::move(message)}}; };
  const std::string* name = request.arguments.empty() ? nullptr : request.arguments.front().as_string();
  if (name == nullptr) return thrown("a function's name is missing");
  if (frame.depth >= options_.max_depth) {
    return thrown("functions call each other more than " + std::to_string(options_.max_depth) + " deep");
  }
  const json::Array arguments(request.arguments.begin() + 1, request.arguments.end());
  FunctionCall call{*name, arguments, frame.caller, frame.request};
  call.as_system = frame.as_system;
  FunctionOutcome outcome = execute_within(
      &frame, frame.app, call, std::min(clock_.boot_now() + options_.queue_deadline, frame.deadline));
  if (!outcome.result) {
    json::Object answer = thrown(outcome.result.error().message);
    answer.set("async", outcome.was_async);
    return answer;
  }
  return {{"v", *std::move(outcome.result)}, {"async", outcome.was_async}};
}

}  // namespace keyturn::server::functions

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server {

/// What to run, and for whom. Lifetime: the views and `arguments` during the call.
struct FunctionCall {
  std::string_view function_name;
  const json::Array& arguments;  ///< EJSON.
  std::optional<Principal> caller = std::nullopt;
  json::Object request = {};    ///< `context.request` (functions.md 4).
  bool is_from_client = false;  ///< Private functions are hidden, and `can_evaluate` is asked.
  /// Runs this instead of a stored function (an administrator's test).
  std::optional<std::string> source = std::nullopt;
  bool as_system = false;
  bool only_compiles = false;  ///< Runs nothing; the result is null when the source compiles.
  // For the app's log.
  std::string_view request_id = {};        ///< Empty: none belongs to it.
  std::string_view request_path = {};      ///< Without the query.
  std::string_view log_type = "FUNCTION";  ///< Empty: the call is not written down.
};

struct FunctionOutcome {
  Result<json::Value> result;     ///< EJSON.
  std::vector<std::string> logs;  ///< The last 25 lines, 512 bytes each.
  std::chrono::microseconds run_time{0};
  bool was_async = false;  ///< The function gave a promise.
};

/// Whether the function itself is to blame for the error: it threw, was late, or is none. What else can go
/// wrong (no free worker, a store that is away) says nothing about what it was asked.
[[nodiscard]] constexpr bool is_fault_of_function(ErrorCode code) noexcept {
  return code == ErrorCode::FunctionExecutionError || code == ErrorCode::ExecutionTimeLimitExceeded ||
         code == ErrorCode::FunctionSyntaxError || code == ErrorCode::FunctionInvalid ||
         code == ErrorCode::NotCallable;
}

/// Runs functions of an app. `nullptr` stands for "no functions" wherever one is wanted.
///
/// Errors of a call: `FunctionNotFound` 404; `FunctionExecutionError` 400 with the thrown message;
/// `ExecutionTimeLimitExceeded`, `FunctionSyntaxError`, `FunctionInvalid`, `NotCallable` 400;
/// `TooManyRequests` 429 when a limit is met or no worker gets free; `InternalServerError` 500 when the
/// worker died; `ServiceUnavailable` 503 when none can be started. Thread safety: all members; a call
/// occupies its thread until it ends.
class FunctionRuntime {
 public:
  virtual ~FunctionRuntime() = default;
  virtual FunctionOutcome execute(const App& app, const FunctionCall& call) = 0;

  /// For the server itself: private functions run too, and `can_evaluate` is not asked.
  Result<json::Value> run(const App& app, std::string_view function_name, const json::Array& arguments,
                          const std::optional<Principal>& caller) {
    const FunctionCall call{function_name, arguments, caller};
    return execute(app, call).result;
  }
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/domain/types.hpp"

namespace keyturn::server::functions {

/// What a running function may ask of the server. Arguments and answers are canonical EJSON.
///
/// Methods, and their arguments:
/// - `context.get` [function name] -> an object whose members `user`, `environment`, `app` replace what the
///   runtime knows itself (functions.md 4); asked once before each call.
/// - `values.get` [name] -> the value; `{"$undefined":true}` when there is none.
/// - `values.all` [] -> all values but those made from secrets, for the rules of functions; never asked by
///   functions themselves.
/// - `user.is_active` [] -> whether the caller given exists and is not disabled; never asked by functions
/// themselves.
/// - `services.get` [name] -> true when the app has a service of that name.
/// - `services.call` [service, action, {"database", "collection", ...}] -> the result (client-api.md 13).
///
/// App, caller and rights come from the runtime's own table of calls, never from the worker.
/// Errors: their message becomes the exception that the function sees.
/// Thread safety: all members. A call should end within seconds: the function's time goes on meanwhile, and
/// the answer to its caller waits.
class FunctionHost {
 public:
  virtual ~FunctionHost() = default;
  virtual Result<json::Value> call(const App& app, const std::optional<Principal>& caller, bool as_system,
                                   std::string_view method, const json::Array& arguments) = 0;
};

}  // namespace keyturn::server::functions

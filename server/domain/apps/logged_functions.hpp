// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/base/clock.hpp>

#include "server/domain/apps/app_log.hpp"
#include "server/domain/apps/function_runtime.hpp"

namespace keyturn::server {

/// Writes each call into the app's log: what ran for whom, how it ended, what it wrote to its console.
///
/// Thread safety: all members. Lifetime: everything given outlives it. `next` may be null: every call answers
/// `ServiceUnavailable`, since this server has nothing that runs functions.
class LoggedFunctions final : public FunctionRuntime {
 public:
  LoggedFunctions(FunctionRuntime* next, AppLog& log, Clock& clock) : next_(next), log_(log), clock_(clock) {}
  FunctionOutcome execute(const App& app, const FunctionCall& call) override;

 private:
  FunctionRuntime* next_;
  AppLog& log_;
  Clock& clock_;
};

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json/value.hpp"
#include "server/api/call.hpp"
#include "server/domain/apps/function_runtime.hpp"

namespace keyturn::server::api {

/// `context.request` of a function that a request reaches (functions.md 4). Without tokens of ours, without
/// the credentials that were read, without the query's `secret`: a function is not to see them.
[[nodiscard]] json::Object function_request(const Call& call);

/// Runs a function for the request and leaves the app's log to it. 503 when this server runs none.
[[nodiscard]] FunctionOutcome run_function(Call& call, FunctionCall wanted);

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json/value.hpp"

namespace keyturn::server::functions {

/// Whether an expression such as `{"%%user.data.email":{"%in":["a@example.org"]}}` allows a call.
///
/// `facts` holds what `%%name` may name: `user`, `environment`, `request`, `values`. Absent, null and `{}`
/// allow. Knows
/// `%and`, `%or`, `%not`, `%nor`, and on a path `%eq %ne %gt %gte %lt %lte %in %nin %exists`, each with `%`
/// or
/// `$`; `%%true` and `%%false` are constants. Anything else does not match: an expression that is not
/// understood must not let anybody in.
[[nodiscard]] bool may_evaluate(const json::Value* expression, const json::Object& facts);

}  // namespace keyturn::server::functions

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"

namespace keyturn::server::functions {

/// Whether an expression such as `{"%%user.data.email":{"%in":["a@example.org"]}}` allows a call: the
/// expressions of data rules (server/domain/rules), about the members `user`, `values`, `environment` and
/// `request` of `facts`. Absent (null) and `{}` allow.
///
/// Errors: `NoMatchingRuleFound`, naming what is not known: such an expression lets nobody in.
[[nodiscard]] Result<bool> may_evaluate(const json::Value& expression, const json::Object& facts);

}  // namespace keyturn::server::functions

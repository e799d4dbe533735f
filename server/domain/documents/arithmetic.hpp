// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// The expressions `$add`, `$subtract`, `$multiply` and `$divide` of their evaluated arguments, of which
/// nothing is a missing value. An integer that does not fit an Int64 is a Double, except of `$subtract`.
/// Errors: `MongoDBError`; what MongoDB computes and this does not (dates, Decimal128) is refused by name.
[[nodiscard]] Result<std::optional<Ejson>> evaluate_arithmetic(
    const std::string& name, const std::vector<std::optional<Ejson>>& arguments);

}  // namespace keyturn::server::documents

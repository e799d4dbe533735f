// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server {

/// Whether an action, or an operation of `bulkWrite`, may be carried out with these arguments: it knows each,
/// or the answer does not depend on it (`maxTimeMS`, `hint`, ...). An argument that is absent or null, and
/// one of an action that is not known, is no matter. Errors: `MongoDBError`, naming the option: to pass over
/// it would answer another question.
[[nodiscard]] Result<void> check_data_options(std::string_view action, const EjsonDocument& arguments);

}  // namespace keyturn::server

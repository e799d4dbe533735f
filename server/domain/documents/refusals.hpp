// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <keyturn/base/error.hpp>

namespace keyturn::server::documents {

[[nodiscard]] inline Error refused(std::string message) {
  return Error(ErrorCode::MongoDBError, std::move(message));
}

/// For what MongoDB has and the embedded engine has not: named, never answered wrongly.
[[nodiscard]] inline Error outside_the_subset(std::string_view what) {
  return refused(std::string(what) +
                 " is not supported by the embedded document store; link a MongoDB cluster to use it");
}

}  // namespace keyturn::server::documents

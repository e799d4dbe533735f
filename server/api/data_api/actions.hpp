// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::api {

/// An action of the Data API as `DataService::call` wants it (data-api.md 4, client-api.md 13).
struct DataApiAction {
  std::string service;  ///< "dataSource".
  std::string_view name;
  EjsonDocument arguments;
  std::string_view result_name;  ///< The member that the result becomes; empty: the result is the body.
};

/// Whether there is such an action.
[[nodiscard]] bool is_data_api_action(std::string_view action) noexcept;

/// Reads the body of an action. Errors: `MissingParameter` or `InvalidParameter` 400 naming the member.
[[nodiscard]] Result<DataApiAction> read_data_api_action(std::string_view action, const EjsonDocument& body);

/// What the answer holds.
[[nodiscard]] Ejson shape_data_api_result(const DataApiAction& action, Ejson result);

}  // namespace keyturn::server::api

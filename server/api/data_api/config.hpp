// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/api/data_api/format.hpp"

namespace keyturn::server::api {

/// How a request proves that it may ask at all, beside who asks (data-api.md 2).
enum class EndpointValidation { none, secret_in_query, signed_body };

/// Who may reach an endpoint, and as whom: the Data API's settings (data-api.md 6); those of custom endpoints
/// have the same members.
struct EndpointRules {
  bool disabled = true;
  DataFormat format = DataFormat::json;
  EndpointValidation validation = EndpointValidation::none;
  std::string secret_id;
  std::string secret_name;   ///< Counts where no secret has `secret_id`.
  json::Value can_evaluate;  ///< Null: everybody.
  bool create_user_on_auth = false;
  bool run_as_system = false;
  std::string run_as_user_id;
  std::string run_as_script;

  /// Whether requests need no credentials.
  [[nodiscard]] bool runs_as_other() const noexcept {
    return run_as_system || !run_as_user_id.empty() || !run_as_script.empty();
  }
};

/// Whether a `can_evaluate` has the form of a condition: an expression, `true` or `false`; null is none.
[[nodiscard]] bool is_condition(const json::Value& value) noexcept;

/// The name of the settings that hold the Data API's configuration.
inline constexpr std::string_view kDataApiSettings = "data_api";
/// What an app has that never configured it: disabled.
[[nodiscard]] json::Object default_data_api_config();

/// Errors: `InvalidParameter` 400 naming the member. Members that are absent or null have their defaults.
[[nodiscard]] Result<EndpointRules> read_endpoint_rules(const json::Object& config);
/// `read_endpoint_rules`, and "versions" has "v1" and nothing else.
[[nodiscard]] Result<EndpointRules> read_data_api_config(const json::Object& config);

}  // namespace keyturn::server::api

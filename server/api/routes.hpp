// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/router.hpp"

// One table per group of routes, each beside its handlers. Where two patterns fit a path the earlier one
// counts.
namespace keyturn::server::api {

[[nodiscard]] const std::vector<Route>& health_routes();
[[nodiscard]] const std::vector<Route>& client_auth_routes();
[[nodiscard]] const std::vector<Route>& client_session_routes();
[[nodiscard]] const std::vector<Route>& client_password_routes();
[[nodiscard]] const std::vector<Route>& client_key_routes();
[[nodiscard]] const std::vector<Route>& client_watch_routes();
[[nodiscard]] const std::vector<Route>& client_call_routes();
[[nodiscard]] const std::vector<Route>& client_push_routes();
[[nodiscard]] const std::vector<Route>& admin_auth_routes();
[[nodiscard]] const std::vector<Route>& admin_app_routes();
[[nodiscard]] const std::vector<Route>& admin_user_routes();
[[nodiscard]] const std::vector<Route>& admin_registration_routes();
[[nodiscard]] const std::vector<Route>& admin_provider_routes();
[[nodiscard]] const std::vector<Route>& admin_security_routes();
[[nodiscard]] const std::vector<Route>& admin_secret_routes();
[[nodiscard]] const std::vector<Route>& admin_document_routes();
[[nodiscard]] const std::vector<Route>& admin_service_routes();
[[nodiscard]] const std::vector<Route>& admin_index_routes();
[[nodiscard]] const std::vector<Route>& admin_settings_routes();
[[nodiscard]] const std::vector<Route>& admin_function_routes();
[[nodiscard]] const std::vector<Route>& admin_dependency_routes();
[[nodiscard]] const std::vector<Route>& admin_push_routes();
[[nodiscard]] const std::vector<Route>& admin_deployment_routes();
[[nodiscard]] const std::vector<Route>& admin_log_routes();
[[nodiscard]] const std::vector<Route>& admin_data_api_routes();
[[nodiscard]] const std::vector<Route>& data_api_routes();
/// Below "/app/{}/endpoint", whatever the Data API leaves.
[[nodiscard]] const std::vector<Route>& endpoint_routes();
/// Below "/api/private/v1.0".
[[nodiscard]] const std::vector<Route>& private_routes();

}  // namespace keyturn::server::api

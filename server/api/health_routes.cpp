// SPDX-License-Identifier: Apache-2.0
#include "server/api/call.hpp"
#include "server/api/routes.hpp"

namespace keyturn::server::api {
namespace {

Result<Answer> health(Call& /*call*/) { return text_answer(R"({"status":"ok"})"); }

Result<Answer> readiness(Call& call) {
  const bool is_ready = !call.options.is_ready || call.options.is_ready();
  return is_ready ? text_answer(R"({"status":"ready"})") : text_answer(R"({"status":"not ready"})", 503);
}

}  // namespace

const std::vector<Route>& health_routes() {
  static const std::vector<Route> kRoutes{
      {"GET", "/healthz", protocol::Lane::immediate, Auth::none, Body::ignored, health},
      {"GET", "/readyz", protocol::Lane::immediate, Auth::none, Body::ignored, readiness},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

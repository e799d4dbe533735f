// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "server/api/call.hpp"
#include "server/api/routes.hpp"

// Addresses that wait for their confirmation (admin-api.md 3 "Pending users").
namespace keyturn::server::api {
namespace {

const std::string& email_of(const Call& call) { return call.arguments[2]; }

Result<Answer> pending(Call& call) {
  PageRequest page;
  page.after = call.parameter("after").value_or("");
  auto accounts = call.services.passwords.pending(*call.app, page);
  if (!accounts) return accounts.error();
  json::Array out;
  for (const PasswordAccount& each : *accounts) {
    out.emplace_back(
        json::Object{{"_id", each.id},
                     {"user_id", each.user_id},
                     {"domain_id", call.app->app.domain_id},
                     {"login_ids", json::Array{json::Object{{"id_type", "email"}, {"id", each.email}}}}});
  }
  return json_answer(std::move(out));
}

Result<Answer> remove_pending_user(Call& call) {
  return no_content_of(call.services.passwords.remove_pending(*call.app, email_of(call)));
}

Result<Answer> send_confirm(Call& call) {
  return no_content_of(call.services.passwords.send_confirmation(*call.app, email_of(call)), 200);
}

Result<Answer> confirm_pending_user(Call& call) {
  return no_content_of(call.services.passwords.confirm_by_admin(*call.app, email_of(call)));
}

Result<Answer> run_confirm(Call& call) {
  return no_content_of(call.services.passwords.call_confirmation(*call.app, email_of(call)), 202);
}

}  // namespace

const std::vector<Route>& admin_registration_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/user_registrations/pending_users", Lane::storage, Auth::admin,
       Body::ignored, pending},
      {"DELETE", "/groups/{}/apps/{}/user_registrations/by_email/{}", Lane::storage, Auth::admin,
       Body::ignored, remove_pending_user},
      {"POST", "/groups/{}/apps/{}/user_registrations/by_email/{}/send_confirm", Lane::storage, Auth::admin,
       Body::ignored, send_confirm},
      {"POST", "/groups/{}/apps/{}/user_registrations/by_email/{}/confirm", Lane::storage, Auth::admin,
       Body::ignored, confirm_pending_user},
      {"POST", "/groups/{}/apps/{}/user_registrations/by_email/{}/run_confirm", Lane::storage, Auth::admin,
       Body::ignored, run_confirm},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

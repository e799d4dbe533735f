// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "server/api/push_registrations.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// Push registration (client-api.md 15): kept per user, device and service; nothing is delivered from here.
namespace keyturn::server::api {
namespace {

constexpr std::size_t kLongestToken = 4'096;
constexpr std::size_t kMostOfUser = 50;

std::string kind_of(std::string_view user_id) { return "push/" + std::string(user_id); }

std::string id_of(const Call& call) { return call.arguments[1] + "/" + call.caller->principal.device_id; }

Result<void> check_service(Call& call) {
  auto services = call.services.apps.documents(call.app_id(), "services");
  if (!services) return services.error();
  const bool is_known = std::any_of(services->begin(), services->end(), [&](const ConfigDocument& each) {
    return each.value.string_at("name") == call.arguments[1];
  });
  if (is_known) return {};
  return refusal(ErrorCode::ServiceNotFound, "service not found: '" + call.arguments[1] + "'");
}

/// A user's oldest registration gives way to a new one: devices come and go without saying so.
Result<void> make_room(Call& call, const std::string& kind, const std::string& id) {
  auto known = call.services.apps.documents(call.app_id(), kind);
  if (!known) return known.error();
  const auto is_it = [&](const ConfigDocument& each) { return each.id == id; };
  if (known->size() < kMostOfUser || std::any_of(known->begin(), known->end(), is_it)) return {};
  const auto oldest = std::min_element(known->begin(), known->end(), [](const auto& a, const auto& b) {
    return a.value.int_at("last_modified").value_or(0) < b.value.int_at("last_modified").value_or(0);
  });
  auto removed = call.services.apps.remove_document(call.app_id(), kind, oldest->id);
  if (!removed) return removed.error();
  return {};
}

Result<Answer> put_registration(Call& call) {
  if (auto known = check_service(call); !known) return known.error();
  auto token = required_text(call.members(), "registrationToken");
  if (!token) return token.error();
  if (token->empty() || token->size() > kLongestToken) {
    return refusal(ErrorCode::InvalidParameter, "'registrationToken' must have 1 to 4096 bytes");
  }
  const Principal& who = call.caller->principal;
  const std::string kind = kind_of(who.user_id);
  const std::string id = id_of(call);
  const auto turn = call.services.apps.take_turn();
  if (auto room = make_room(call, kind, id); !room) return room.error();
  json::Object document{{"service", call.arguments[1]},
                        {"user_id", who.user_id},
                        {"device_id", who.device_id},
                        {"registrationToken", *token},
                        {"last_modified", unix_seconds(call.started)}};
  return no_content_of(call.services.apps.put_document(call.app_id(), kind, id, std::move(document)));
}

Result<Answer> remove_registration(Call& call) {
  if (auto known = check_service(call); !known) return known.error();
  const auto turn = call.services.apps.take_turn();
  auto removed =
      call.services.apps.remove_document(call.app_id(), kind_of(call.caller->principal.user_id), id_of(call));
  if (!removed) return removed.error();
  return no_content();
}

/// For administrators.
Result<Answer> list_registrations(Call& call) {
  auto user = call.services.users.get(call.app_id(), call.arguments[2]);
  if (!user) return user.error();
  auto known = call.services.apps.documents(call.app_id(), kind_of(call.arguments[2]));
  if (!known) return known.error();
  json::Array out;
  for (ConfigDocument& each : *known) out.push_back(std::move(each.value));
  return json_answer(std::move(out));
}

}  // namespace

void forget_push_registrations(Call& call, std::string_view user_id) {
  const std::string kind = kind_of(user_id);
  const auto turn = call.services.apps.take_turn();
  auto known = call.services.apps.documents(call.app_id(), kind);
  if (!known) return;
  for (const ConfigDocument& each : *known) {
    static_cast<void>(call.services.apps.remove_document(call.app_id(), kind, each.id));
  }
}

const std::vector<Route>& client_push_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"PUT", "/app/{}/push/providers/{}/registration", Lane::storage, Auth::access, Body::object,
       put_registration},
      {"DELETE", "/app/{}/push/providers/{}/registration", Lane::storage, Auth::access, Body::ignored,
       remove_registration},
  };
  return kRoutes;
}

const std::vector<Route>& admin_push_routes() {
  static const std::vector<Route> kRoutes{
      {"GET", "/groups/{}/apps/{}/users/{}/push_registrations", protocol::Lane::storage, Auth::admin,
       Body::ignored, list_registrations},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

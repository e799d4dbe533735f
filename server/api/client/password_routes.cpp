// SPDX-License-Identifier: Apache-2.0
#include "server/api/call.hpp"
#include "server/api/routes.hpp"
#include "server/domain/refusal.hpp"

// E-mail and password accounts (client-api.md 9). No success has a body.
namespace keyturn::server::api {
namespace {

struct Texts {
  std::string_view first;
  std::string_view second;
};

Result<Texts> two_texts(const Call& call, std::string_view first, std::string_view second) {
  auto a = required_text(call.members(), first);
  if (!a) return a.error();
  auto b = required_text(call.members(), second);
  if (!b) return b.error();
  return Texts{*a, *b};
}

Result<Answer> register_account(Call& call) {
  auto texts = two_texts(call, "email", "password");
  if (!texts) return texts.error();
  return no_content_of(call.services.passwords.register_account(*call.app, texts->first, texts->second), 201);
}

Result<Answer> confirm(Call& call) {
  auto texts = two_texts(call, "tokenId", "token");
  if (!texts) return texts.error();
  return no_content_of(call.services.passwords.confirm(*call.app, texts->first, texts->second), 200);
}

Result<Answer> confirm_send(Call& call) {
  auto email = required_text(call.members(), "email");
  if (!email) return email.error();
  return no_content_of(call.services.passwords.send_confirmation(*call.app, *email), 200);
}

Result<Answer> confirm_call(Call& call) {
  auto email = required_text(call.members(), "email");
  if (!email) return email.error();
  return no_content_of(call.services.passwords.call_confirmation(*call.app, *email), 200);
}

Result<Answer> reset(Call& call) {
  auto texts = two_texts(call, "tokenId", "token");
  if (!texts) return texts.error();
  auto password = required_text(call.members(), "password");
  if (!password) return password.error();
  return no_content_of(call.services.passwords.reset(*call.app, texts->first, texts->second, *password), 200);
}

Result<Answer> reset_send(Call& call) {
  auto email = required_text(call.members(), "email");
  if (!email) return email.error();
  return no_content_of(call.services.passwords.send_reset(*call.app, *email), 200);
}

Result<Answer> reset_call(Call& call) {
  auto texts = two_texts(call, "email", "password");
  if (!texts) return texts.error();
  static const json::Array kNone;
  const json::Array* arguments = &kNone;
  if (const json::Value* given = call.members().find("arguments"); given != nullptr && !given->is_null()) {
    arguments = given->as_array();
    if (arguments == nullptr) return refusal(ErrorCode::BadRequest, "'arguments' must be an array");
  }
  return no_content_of(call.services.passwords.call_reset(*call.app, texts->first, texts->second, *arguments),
                       200);
}

}  // namespace

const std::vector<Route>& client_password_routes() {
  using protocol::Lane;
  static const std::vector<Route> kRoutes{
      {"POST", "/app/{}/auth/providers/local-userpass/register", Lane::password, Auth::none, Body::object,
       register_account},
      {"POST", "/app/{}/auth/providers/local-userpass/confirm", Lane::storage, Auth::none, Body::object,
       confirm},
      {"POST", "/app/{}/auth/providers/local-userpass/confirm/send", Lane::storage, Auth::none, Body::object,
       confirm_send},
      {"POST", "/app/{}/auth/providers/local-userpass/confirm/call", Lane::storage, Auth::none, Body::object,
       confirm_call},
      {"POST", "/app/{}/auth/providers/local-userpass/reset", Lane::password, Auth::none, Body::object,
       reset},
      {"POST", "/app/{}/auth/providers/local-userpass/reset/send", Lane::storage, Auth::none, Body::object,
       reset_send},
      {"POST", "/app/{}/auth/providers/local-userpass/reset/call", Lane::password, Auth::none, Body::object,
       reset_call},
  };
  return kRoutes;
}

}  // namespace keyturn::server::api

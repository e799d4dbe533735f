// SPDX-License-Identifier: Apache-2.0
#include "server/domain/sessions/token_issuer.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"
#include "core/jwt/jwt.hpp"
#include "server/domain/refusal.hpp"
#include "server/domain/sessions/own_claims.hpp"

namespace keyturn::server {
namespace {

constexpr std::size_t kUsualPayload = 512;

void append_text(std::string& out, std::string_view member, std::string_view value) {
  out += member;
  json::append_quoted(out, value);
}

void append_seconds(std::string& out, std::string_view member, WallTime time) {
  out += member;
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::array<char, 24> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), seconds).ptr);
}

void append_confirmation(std::string& out, std::string_view key_thumbprint) {
  if (key_thumbprint.empty()) return;
  append_text(out, R"(,"cnf":{"jkt":)", key_thumbprint);
  out += '}';
}

struct AccessFor {
  std::string_view session_id;
  std::string_view user_id;
  std::string_view device_id;
  std::string_view key_thumbprint;
};

std::string mint_access(const AppView& view, const AccessFor& subject, WallTime now,
                        std::string_view user_data) {
  const App& app = view.app;
  std::string payload;
  payload.reserve(kUsualPayload + user_data.size());
  append_text(payload, R"({"baas_device_id":)", subject.device_id);
  append_text(payload, R"(,"baas_domain_id":)", app.domain_id);
  append_confirmation(payload, subject.key_thumbprint);
  append_seconds(payload, R"(,"exp":)",
                 std::chrono::floor<std::chrono::seconds>(now) + app.tokens.access_lifetime);
  append_seconds(payload, R"(,"iat":)", now);
  append_text(payload, R"(,"iss":)", subject.session_id);
  append_text(payload, R"(,"stitch_devId":)", subject.device_id);
  append_text(payload, R"(,"stitch_domainId":)", app.domain_id);
  append_text(payload, R"(,"sub":)", subject.user_id);
  payload += R"(,"typ":"access")";
  if (!user_data.empty()) {
    payload += R"(,"user_data":)";
    payload += user_data;
  }
  payload += '}';
  const bool is_hs256 = app.tokens.access_algorithm == jwt::Algorithm::hs256;
  return jwt::mint(is_hs256 ? view.keys->access_hs256 : view.keys->access_es256, payload);
}

std::string identity_text(const Session& session) {
  std::string out;
  append_text(out, R"({"id":)", session.identity_id);
  append_text(out, R"(,"provider_type":)", session.provider_type);
  append_text(out, R"(,"provider_id":)", session.provider_id);
  return out += '}';
}

/// False when the member is absent or no text.
bool read_text(const json::Object& claims, std::string_view name, std::string& out) {
  const json::Value* value = claims.find(name);
  if (value == nullptr || value->as_string() == nullptr) return false;
  out = *value->as_string();
  return true;
}

bool is_text(const json::Object& object, std::string_view name, std::string_view wanted) {
  const json::Value* value = object.find(name);
  return value != nullptr && value->as_string() != nullptr && *value->as_string() == wanted;
}

std::optional<TokenClaims> parse_claims(const std::string& text, TokenType type) {
  auto payload = json::parse(text);
  json::Object* object = payload ? payload->as_object() : nullptr;
  if (object == nullptr) return std::nullopt;
  TokenClaims claims;
  claims.type = type;
  const bool is_access = type == TokenType::access;
  const auto times = jwt::read_times(*object);
  if (!times || !is_text(*object, "typ", is_access ? "access" : "refresh") ||
      !read_text(*object, is_access ? "iss" : "baas_id", claims.session_id) ||
      !read_text(*object, "sub", claims.user_id) || !read_text(*object, "baas_device_id", claims.device_id) ||
      !read_text(*object, "baas_domain_id", claims.domain_id)) {
    return std::nullopt;
  }
  claims.issued_at = times->issued_at;
  claims.expires_at = times->expires_at;
  if (const json::Value* confirmation = object->find("cnf"); confirmation != nullptr) {
    // What binds a session is never passed over.
    const json::Object* members = confirmation->as_object();
    if (members == nullptr || !read_text(*members, "jkt", claims.key_thumbprint)) return std::nullopt;
  }
  json::Value* data = is_access ? object->find("user_data") : nullptr;
  if (data != nullptr && data->as_object() != nullptr) claims.user_data = std::move(*data->as_object());
  return claims;
}

}  // namespace

std::string mint_access_token(const AppView& app, const Session& session, WallTime now,
                              std::string_view user_data, std::string_view key_thumbprint) {
  return mint_access(app, {session.id, session.user_id, session.device_id, key_thumbprint}, now, user_data);
}

std::string mint_access_token(const AppView& app, const TokenClaims& refresh_token, WallTime now,
                              std::string_view user_data) {
  return mint_access(app,
                     {refresh_token.session_id, refresh_token.user_id, refresh_token.device_id,
                      refresh_token.key_thumbprint},
                     now, user_data);
}

std::string mint_refresh_token(const AppView& view, const Session& session, std::string_view key_thumbprint) {
  const std::string& domain_id = view.app.domain_id;
  const std::string identity = identity_text(session);
  std::string payload;
  payload.reserve(kUsualPayload + 2 * identity.size());
  append_text(payload, R"({"baas_data":null,"baas_device_id":)", session.device_id);
  append_text(payload, R"(,"baas_domain_id":)", domain_id);
  append_text(payload, R"(,"baas_id":)", session.id);
  payload += R"(,"baas_identity":)";
  payload += identity;
  append_confirmation(payload, key_thumbprint);
  append_seconds(payload, R"(,"exp":)", session.refresh_expires);
  append_seconds(payload, R"(,"iat":)", session.created);
  append_text(payload, R"(,"stitch_data":null,"stitch_devId":)", session.device_id);
  append_text(payload, R"(,"stitch_domainId":)", domain_id);
  append_text(payload, R"(,"stitch_id":)", session.id);
  payload += R"(,"stitch_ident":)";
  payload += identity;
  append_text(payload, R"(,"sub":)", session.user_id);
  payload += R"(,"typ":"refresh"})";
  return jwt::mint(view.keys->refresh_hs256, payload);
}

std::shared_ptr<const AppView> app_named_by_token(const AppDirectory& directory, std::string_view compact) {
  constexpr std::size_t kLongestHeader = 512;
  const std::size_t end = compact.find('.');
  if (end > kLongestHeader) return nullptr;
  const auto text = crypto::base64url_decode(compact.substr(0, end));
  if (!text) return nullptr;
  const auto header = json::parse(*text);
  if (!header) return nullptr;
  return directory.by_key_id(header->string_at("kid").value_or("")).app;
}

Result<CheckedToken> check_token(const AppDirectory& directory, std::string_view compact) {
  AppDirectory::KeyEntry entry;
  auto jws = jwt::verify_jws(compact, [&](std::string_view key_id) {
    entry = directory.by_key_id(key_id);
    return entry.key;
  });
  if (!jws || !is_text(jws->header, "typ", "JWT")) return session_over("unauthorized");
  auto claims = read_own_claims(jws->payload, entry.type);
  if (!claims) claims = parse_claims(jws->payload, entry.type);
  if (!claims || claims->domain_id != entry.app->app.domain_id) return session_over("unauthorized");
  CheckedToken token;
  token.app = std::move(entry.app);
  token.claims = *std::move(claims);
  return token;
}

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/model.hpp"

#include <cstdio>

#include <keyturn/base/clock.hpp>

#include "core/crypto/crypto.hpp"
#include "core/json/json.hpp"

namespace keyturn::testing {
namespace {

constexpr std::chrono::seconds kRefreshLifetime{5'184'000};

std::chrono::seconds now() {
  return std::chrono::duration_cast<std::chrono::seconds>(system_clock().wall_now().time_since_epoch());
}

ScriptedResponse json_answer(int status, json::Object body) {
  ScriptedResponse response;
  response.status = status;
  response.body = json::write(std::move(body));
  return response;
}

ScriptedResponse refusal(int status, const char* text, const char* code, const std::string& reason = {}) {
  json::Object body{{"error", text}};
  if (*code != '\0') body.set("error_code", code);
  if (!reason.empty()) body.set("reason", reason);
  return json_answer(status, std::move(body));
}

ScriptedResponse empty_answer(int status) {
  ScriptedResponse response;
  response.status = status;
  return response;
}

std::string text_member(const json::Value& body, std::string_view name) {
  return std::string(body.string_at(name).value_or(""));
}

}  // namespace

ScriptedResponse Model::answer(const RecordedRequest& request) {
  const std::scoped_lock lock(mutex_);
  const std::string path = request.path.substr(0, request.path.find('?'));
  const auto ends = [&](std::string_view end) { return std::string_view(path).ends_with(end); };
  if (ends("/auth/session")) return session(request);
  if (ends("/auth/profile")) return profile(request);
  if (ends("/auth/delete")) return remove(request);
  if (ends("/local-userpass/register")) return register_user(request);
  for (const char* provider : {"anon-user", "local-userpass"}) {
    if (ends(std::string("/providers/") + provider + "/login")) return log_in(request, provider);
  }
  return refusal(404, "not found", "");
}

void Model::add_user(std::string email, std::string password) {
  const std::scoped_lock lock(mutex_);
  accounts_[std::move(email)] = {std::move(password), next_id()};
}

void Model::set_access_token_lifetime(std::chrono::seconds lifetime) {
  const std::scoped_lock lock(mutex_);
  access_lifetime_ = lifetime;
}

void Model::revoke(std::string_view user_id) {
  const std::scoped_lock lock(mutex_);
  for (auto& [id, session] : sessions_) {
    if (session.user_id == user_id && session.reason.empty()) session.reason = "revoked";
  }
}

int Model::refresh_count() const {
  const std::scoped_lock lock(mutex_);
  return refreshes_;
}

std::string Model::next_id() {
  char text[25];
  std::snprintf(text, sizeof text, "5f%022x", static_cast<unsigned>(++issued_));
  return text;
}

std::string Model::token(std::string_view type, std::string_view session_id, std::chrono::seconds lifetime) {
  const json::Object claims{{"exp", std::int64_t{(now() + lifetime).count()}},
                            {"iat", std::int64_t{now().count()}},
                            {"iss", session_id},
                            {"jti", next_id()},
                            {"sub", sessions_.find(session_id)->second.user_id},
                            {"typ", type}};
  return crypto::base64url_encode(R"({"alg":"none","typ":"JWT"})") + "." +
         crypto::base64url_encode(json::write(claims)) + ".model";
}

Model::Session* Model::session_of(const RecordedRequest& request, std::string_view type) {
  const auto bearer = find_header(request.headers, "Authorization");
  if (!bearer || !bearer->starts_with("Bearer ")) return nullptr;
  const std::string_view compact = bearer->substr(7);
  const std::size_t first = compact.find('.');
  const std::size_t second = compact.rfind('.');
  if (first == std::string_view::npos || second <= first) return nullptr;
  const auto payload = crypto::base64url_decode(compact.substr(first + 1, second - first - 1));
  const auto claims = payload ? json::parse(*payload) : Result<json::Value>(json::Value());
  if (!claims || claims->string_at("typ") != type || claims->int_at("exp").value_or(0) <= now().count())
    return nullptr;
  const auto found = sessions_.find(claims->string_at("iss").value_or(""));
  return found == sessions_.end() ? nullptr : &found->second;
}

ScriptedResponse Model::log_in(const RecordedRequest& request, std::string_view provider) {
  std::string user_id;
  if (provider == "anon-user") {
    user_id = next_id();
  } else {
    const auto body = json::parse(request.body);
    const auto account = body ? accounts_.find(text_member(*body, "username")) : accounts_.end();
    if (account == accounts_.end() || account->second.password != text_member(*body, "password")) {
      return refusal(401, "unauthorized", "InvalidPassword");
    }
    user_id = account->second.user_id;
  }
  const std::string session_id = next_id();
  sessions_[session_id] = {user_id, {}};
  return json_answer(200, {{"access_token", token("access", session_id, access_lifetime_)},
                           {"refresh_token", token("refresh", session_id, kRefreshLifetime)},
                           {"user_id", user_id},
                           {"device_id", "000000000000000000000000"}});
}

ScriptedResponse Model::register_user(const RecordedRequest& request) {
  const auto body = json::parse(request.body);
  if (!body) return refusal(400, "malformed body", "BadRequest");
  const std::string email = text_member(*body, "email");
  if (accounts_.count(email) != 0) return refusal(409, "name already in use", "AccountNameInUse");
  accounts_[email] = {text_member(*body, "password"), next_id()};
  return empty_answer(201);
}

ScriptedResponse Model::session(const RecordedRequest& request) {
  Session* const found = session_of(request, "refresh");
  if (request.method == "DELETE") {
    if (found == nullptr || !found->reason.empty())
      return refusal(401, "invalid session: failed to find refresh token", "InvalidSession");
    found->reason = "logged_out";
    return empty_answer(204);
  }
  ++refreshes_;
  if (found == nullptr) return refusal(401, "invalid session", "InvalidSession");
  if (!found->reason.empty()) return refusal(401, "invalid session", "InvalidSession", found->reason);
  std::string session_id;
  for (const auto& [id, each] : sessions_) {
    if (&each == found) session_id = id;
  }
  return json_answer(201, {{"access_token", token("access", session_id, access_lifetime_)}});
}

std::string Model::email_of(std::string_view user_id) const {
  for (const auto& [email, account] : accounts_) {
    if (account.user_id == user_id) return email;
  }
  return {};
}

ScriptedResponse Model::profile(const RecordedRequest& request) {
  Session* const found = session_of(request, "access");
  if (found == nullptr || !found->reason.empty()) {
    return refusal(401, "invalid session: access token expired", "InvalidSession",
                   found == nullptr ? "" : found->reason);
  }
  const std::string email = email_of(found->user_id);
  json::Object data;
  if (!email.empty()) data.set("email", email);
  const json::Object identity{{"id", found->user_id},
                              {"provider_type", email.empty() ? "anon-user" : "local-userpass"}};
  return json_answer(200, {{"user_id", found->user_id},
                           {"identities", json::Array{identity}},
                           {"data", data},
                           {"type", "normal"}});
}

ScriptedResponse Model::remove(const RecordedRequest& request) {
  Session* const found = session_of(request, "access");
  if (found == nullptr) return refusal(401, "invalid session: access token expired", "InvalidSession");
  const std::string user_id = found->user_id;
  accounts_.erase(email_of(user_id));
  for (auto& [id, each] : sessions_) {
    if (each.user_id == user_id) each.reason = "user_deleted";
  }
  return empty_answer(204);
}

}  // namespace keyturn::testing

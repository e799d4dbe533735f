// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

#include "core/json/value.hpp"

// The bodies of the client API as values (client-api.md 6-11). `write_x` gives the JSON text, `parse_x` reads
// it back and ignores members it does not know.
//
// Errors of every `parse_x` but `parse_login_request`: `MalformedJson` when the text is no JSON,
// `MissingJsonKey` naming a member that is absent or of the wrong type. No error text holds any part of the
// body. Thread safety: plain values and pure functions.
namespace keyturn::protocol {

/// What a log-in sends: the credentials of the provider beside `options.device`.
struct LoginRequest {
  json::Object credentials;
  std::optional<json::Object> device;
};
[[nodiscard]] std::string write_login_request(const LoginRequest& request);
/// The same from the text of a JSON object without `options`, which goes into the answer and nowhere else: a
/// tree would leave copies of a password in memory that nobody wipes (row B-33).
[[nodiscard]] std::string write_login_request(std::string_view credentials,
                                              const std::optional<json::Object>& device);
/// Reads a body as the server gets it; an empty one is `{}`. `provider` stays among the credentials for the
/// custom function's sake; other providers ignore it. Errors: `BadRequest`, for a wrong type too (row B-72).
[[nodiscard]] Result<LoginRequest> parse_login_request(std::string_view body);

/// The answer to a log-in or link.
struct LoginResponse {
  Secret access_token;
  Secret refresh_token;  ///< Empty when a link did not send one.
  std::string user_id;
  std::string device_id;
};
[[nodiscard]] std::string write_login_response(const LoginResponse& response);
[[nodiscard]] Result<LoginResponse> parse_login_response(std::string_view body);

/// The answer to `POST auth/session`.
struct SessionResponse {
  Secret access_token;
};
[[nodiscard]] std::string write_session_response(const SessionResponse& response);
[[nodiscard]] Result<SessionResponse> parse_session_response(std::string_view body);

struct Location {
  std::string hostname;     ///< Base address for all later requests, without a trailing slash.
  std::string ws_hostname;  ///< The same with `ws:` or `wss:`.
  std::string deployment_model = "GLOBAL";
  std::string location = "US-VA";
};
[[nodiscard]] std::string write_location(const Location& location);
[[nodiscard]] Result<Location> parse_location(std::string_view body);

struct ProfileIdentity {
  std::string id;
  std::string provider_type;
  std::string provider_id;
};
struct Profile {
  std::string user_id;
  std::string domain_id;
  std::vector<ProfileIdentity> identities;
  json::Object data;
  std::string type = "normal";  ///< Or "server".
};
[[nodiscard]] json::Array identities_to_json(const std::vector<ProfileIdentity>& identities);
[[nodiscard]] json::Object to_json(const Profile& profile);
[[nodiscard]] std::string write_profile(const Profile& profile);
[[nodiscard]] Result<Profile> parse_profile(std::string_view body);

/// An API key; `key` is there in the answer to its creation only.
struct ApiKeyMessage {
  std::string id;
  std::string name;
  bool disabled = false;
  Secret key;
};
[[nodiscard]] std::string write_api_key(const ApiKeyMessage& key);
[[nodiscard]] std::string write_api_keys(const std::vector<ApiKeyMessage>& keys);
[[nodiscard]] Result<ApiKeyMessage> parse_api_key(std::string_view body);
[[nodiscard]] Result<std::vector<ApiKeyMessage>> parse_api_keys(std::string_view body);

/// One session of the caller's (Keyturn's own `auth/sessions`); times on the wire are whole seconds since
/// 1970.
struct SessionMessage {
  std::string id;
  std::string provider_type;
  std::string device_id;
  json::Object device;
  WallTime created;
  WallTime last_used;
  WallTime expires;
  bool current = false;
};
[[nodiscard]] std::string write_sessions(const std::vector<SessionMessage>& sessions);
[[nodiscard]] Result<std::vector<SessionMessage>> parse_sessions(std::string_view body);

/// `{"name":…,"arguments":[…][,"service":…]}` around arguments that are EJSON text already (a JSON array).
[[nodiscard]] std::string write_function_call(std::string_view name, std::string_view arguments_ejson,
                                              std::string_view service = {});

}  // namespace keyturn::protocol

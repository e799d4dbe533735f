// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/error.hpp>

#include "core/json/value.hpp"
#include "core/jwt/key.hpp"

// The things the server knows. Plain values; ids are ObjectIds as 24 hexadecimal characters.
namespace keyturn::server {

/// What a session's tokens are worth (decisions.md "lifetimes", "token settings").
struct TokenSettings {
  std::chrono::seconds access_lifetime{1'800};
  std::chrono::seconds refresh_lifetime{5'184'000};
  std::optional<std::chrono::seconds> refresh_idle;  ///< Off when empty; slides on the session row.
  jwt::Algorithm access_algorithm = jwt::Algorithm::es256;
  friend bool operator==(const TokenSettings&, const TokenSettings&) = default;
};

/// Which new passwords an app takes (rule V16). The hosted service takes 6 to 128 characters.
struct PasswordSettings {
  std::size_t least_characters = 6;  ///< Up to 64; at most 128 are taken in any case.
  bool refuse_common = true;         ///< Those that are tried first (common_passwords.hpp).
  friend bool operator==(const PasswordSettings&, const PasswordSettings&) = default;
};

/// Where an app keeps what it knows of its users (functions.md 7, admin-api.md 8).
struct UserDataSource {
  std::string service_id;
  std::string database;
  std::string collection;
  std::string user_id_field;
  bool in_access_token = true;  ///< Whether tokens carry it as `user_data`.
  friend bool operator==(const UserDataSource&, const UserDataSource&) = default;
};

/// An app: a set of users with its own keys, providers and settings. The admin realm is an app too
/// (`is_admin_realm`), so that administrators log in, refresh and log out by the same rules as everybody.
struct App {
  std::string id;
  std::string client_app_id;
  std::string name;
  std::string group_id;
  std::string domain_id;  ///< The claim `baas_domain_id`; also names the app's signing keys.
  std::string location = "US-VA";
  std::string provider_region = "aws-us-east-1";
  std::string deployment_model = "GLOBAL";
  std::string environment;
  bool is_admin_realm = false;
  WallTime created;
  WallTime last_modified;
  TokenSettings tokens;
  PasswordSettings passwords;
  std::vector<std::string> allowed_request_origins;  ///< Empty: any (client-api.md 1.4).
  bool end_sessions_on_password_change = true;
  bool require_bound_sessions = false;  ///< Log-ins and refreshes must prove a key (RFC 9449).
  std::chrono::seconds anonymous_user_lifetime{90 * 86'400};  ///< After the last use.
  /// Runs before a user comes into being; a name or an id, empty: none (functions.md 5.4).
  std::string user_creation_function;
  std::optional<UserDataSource> user_data;  ///< Nothing: custom user data is off.
};

/// One way of proving identity that an app offers. `type` is the wire name ("local-userpass").
struct AuthProvider {
  std::string id;
  std::string app_id;
  std::string type;
  std::string name;
  bool disabled = false;
  json::Object config;
  json::Object secret_config;  ///< Names of secrets, never values.
  json::Array metadata_fields;
  json::Array redirect_uris;
};

/// A proof of identity that belongs to a user. Order in `User::identities` is the order of linking.
struct Identity {
  std::string id;
  std::string provider_type;
  std::string provider_id;
  json::Object data;  ///< What this provider says of the user; the profile merges the data of all.
};

enum class UserType { normal, server };

struct User {
  std::string id;
  std::string app_id;
  UserType type = UserType::normal;
  bool disabled = false;
  std::vector<Identity> identities;
  WallTime created;
  WallTime last_authentication;
  /// Counts the events that end log-ins in progress: password change, revoke-all, disable, enable.
  /// `SessionStore::open` compares it, so that a log-in that began before such an event cannot finish after
  /// it (problem 19).
  std::int64_t generation = 0;
};

/// An e-mail address that may log in with a password. It has a user only after its first log-in or link.
struct PasswordAccount {
  std::string id;  ///< Also the id of the `local-userpass` identity.
  std::string app_id;
  std::string email;  ///< Case-sensitive, never trimmed (client-api.md 9).
  std::string password_hash;
  bool confirmed = false;
  std::string user_id;  ///< Empty until the first log-in or link.
  /// Set by a reset function that said "pending": becomes the hash when the reset is confirmed.
  std::string pending_password_hash;
  WallTime created;
};

enum class EmailTokenPurpose { confirm, reset };

/// A single-use token sent by e-mail; only its hash is kept (rule V14).
struct EmailToken {
  std::string id;
  std::string app_id;
  std::string account_id;
  EmailTokenPurpose purpose = EmailTokenPurpose::confirm;
  std::string token_hash;
  WallTime expires;
};

struct ApiKey {
  std::string id;
  std::string app_id;
  std::string user_id;  ///< Owner; empty for a server key.
  std::string name;
  std::string key_hash;  ///< SHA-256 of the key: it has 64 random characters, so no slow hash is needed.
  bool disabled = false;
};

/// What a device says of itself at log-in (client-api.md 8).
struct Device {
  std::string id;
  json::Object data;
};

/// One log-in. The row decides; tokens only name it.
struct Session {
  std::string id;
  std::string app_id;
  std::string user_id;
  std::string device_id;
  json::Object device;
  std::string identity_id;
  std::string provider_type;
  std::string provider_id;
  WallTime created;
  WallTime refresh_expires;
  WallTime last_used;
  std::optional<WallTime> ended;
  EndReason reason = EndReason::none;
};

/// Who a checked token speaks for.
struct Principal {
  std::string app_id;
  std::string user_id;
  std::string session_id;
  std::string device_id;
  std::string provider_type;  ///< Of the identity that opened the session.
};

}  // namespace keyturn::server

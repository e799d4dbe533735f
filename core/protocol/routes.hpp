// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// The paths of the client API (client-api.md 5). The SDK builds addresses from them, the server knows them by
// the same names. All functions are pure.
namespace keyturn::protocol {

inline constexpr std::string_view kClientPrefix = "/api/client/v2.0";
inline constexpr std::string_view kAdminPrefix = "/api/admin/v3.0";
inline constexpr std::string_view kPrivatePrefix = "/api/private/v1.0";

inline constexpr std::string_view kSessionPath =
    "/api/client/v2.0/auth/session";  ///< POST refreshes, DELETE logs out.
inline constexpr std::string_view kProfilePath = "/api/client/v2.0/auth/profile";   ///< GET
inline constexpr std::string_view kDeletePath = "/api/client/v2.0/auth/delete";     ///< DELETE
inline constexpr std::string_view kApiKeysPath = "/api/client/v2.0/auth/api_keys";  ///< GET, POST
inline constexpr std::string_view kSessionsPath =
    "/api/client/v2.0/auth/sessions";  ///< GET, DELETE with `?others=true`

/// The header with the id of a request, the same as `co_id` in the `link` of an error body.
inline constexpr std::string_view kRequestIdHeader = "x-appservices-request-id";
inline constexpr std::string_view kJsonContentType = "application/json";

/// A path segment or query value: everything but letters, digits and `-._~` becomes `%XX` (RFC 3986
/// section 2.3).
[[nodiscard]] std::string percent_encode(std::string_view text);

/// "/api/client/v2.0/app/<id>" + `rest`.
[[nodiscard]] std::string app_path(std::string_view client_app_id, std::string_view rest = {});
[[nodiscard]] std::string location_path(std::string_view client_app_id);
/// `link`: adds an identity to the user of the bearer (client-api.md 7.3).
[[nodiscard]] std::string login_path(std::string_view client_app_id, std::string_view provider_type,
                                     bool link = false);

/// The calls of `local-userpass` accounts (client-api.md 9).
enum class PasswordCall {
  register_account,
  confirm,
  confirm_send,
  confirm_call,
  reset,
  reset_send,
  reset_call
};
[[nodiscard]] std::string password_path(std::string_view client_app_id, PasswordCall call);
[[nodiscard]] std::string functions_call_path(std::string_view client_app_id);

[[nodiscard]] std::string api_key_path(std::string_view key_id);
/// PUT here with an empty body enables or disables the key.
[[nodiscard]] std::string api_key_switch_path(std::string_view key_id, bool enable);
[[nodiscard]] std::string session_path(std::string_view session_id);
/// DELETE here ends all sessions of the user but the caller's.
[[nodiscard]] std::string other_sessions_path();

}  // namespace keyturn::protocol

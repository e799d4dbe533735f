// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <keyturn/base/error_code.hpp>

namespace keyturn {

/// What the caller should do about an error. Every code has exactly one usual remedy
/// (docs/reference/errors.md).
enum class Remedy {
  retry_later,   ///< A passing fault: the session is kept; try again, after the back-off that the SDK already
                 ///< applies.
  log_in_again,  ///< The session is over for certain: send the user to log in. `Error::reason` says why.
  fix_request,   ///< The input or the configuration is wrong: the same call will fail again.
  report_bug,    ///< Something that should not happen; please report it with `Error::request_id`.
};

/// Why a session ended; the wire names are the enumerator names (member `reason` of an error body).
enum class EndReason {
  none,              ///< The session has not ended. In an answer: the server did not say why.
  logged_out,        ///< The user logged out.
  revoked,           ///< An administrator, or the user from another device, ended it.
  user_disabled,     ///< The user was disabled.
  user_deleted,      ///< The user was deleted.
  expired,           ///< The refresh token reached the end of its life.
  idle,              ///< Not used for longer than the app's idle limit.
  password_changed,  ///< The password was changed or reset in another session.
  unspecified,       ///< On the device: the server ended it and did not say why, or in words not known here.
};

/// The wire name of a reason ("logged_out"); empty for `none`.
[[nodiscard]] std::string_view to_string(EndReason reason) noexcept;

/// The reason with that wire name; `none` for an unknown one.
[[nodiscard]] EndReason end_reason_from(std::string_view name) noexcept;

/// The name of a remedy ("retry_later").
[[nodiscard]] std::string_view to_string(Remedy remedy) noexcept;

/// The wire name of a code ("InvalidSession").
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// The code with that wire name; `ErrorCode::AppServerError` for a name that is not in the table.
[[nodiscard]] ErrorCode error_code_from(std::string_view name) noexcept;

/// The usual remedy of a code, from the table in core/protocol/error_codes.toml.
[[nodiscard]] Remedy usual_remedy(ErrorCode code) noexcept;

/// One failure, as a value. Never holds any part of a token, a password or a key.
///
/// It derives from `std::exception` only so that `Pending<T>::get()` can throw it; nothing else throws it.
/// Thread safety: a plain value.
struct Error : std::exception {
  Error() = default;
  /// An error with the usual remedy of its code.
  Error(ErrorCode code, std::string message);
  Error(ErrorCode code, Remedy remedy, std::string message);

  ErrorCode code = ErrorCode::AppUnknownError;
  Remedy remedy = Remedy::report_bug;
  EndReason reason = EndReason::none;  ///< Set when `remedy` is `log_in_again` and the cause is known.
  std::string message;                 ///< For people; the server's own text where there is one.
  std::string request_id;              ///< The server's id of the request, empty when no answer came.
  int http_status = 0;                 ///< Status of the answer, 0 when none came.

  [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }
};

}  // namespace keyturn

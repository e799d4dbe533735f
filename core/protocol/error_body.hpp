// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <keyturn/base/error.hpp>
#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>

namespace keyturn::protocol {

/// The body of every refusal (errors.md 1). Empty members are left out on the wire; `error` never is.
struct ErrorBody {
  std::string error;
  std::string error_code;
  std::string link;
  std::string reason;  ///< Why a session ended (decisions.md); an extra member of Keyturn's.
};
[[nodiscard]] std::string write_error_body(const ErrorBody& body);
/// Errors: `MalformedJson`; `MissingJsonKey` when it is no object with a string `error` or `error_code`.
/// A member of the wrong type counts as absent.
[[nodiscard]] Result<ErrorBody> parse_error_body(std::string_view body);

/// The body for an error: without `error_code` for `AppUnknownError`, with `reason` when there is one.
[[nodiscard]] ErrorBody error_body_of(const Error& error, std::string link = {});
/// The reverse: no code is `AppUnknownError`, an unknown one `AppServerError` (errors.md 1). What came with
/// 429 or 5xx and has no code of the table is to be tried again later. `reason` is read of `InvalidSession`
/// only. What looks like a token gives way to "[token]" in the text (row B-38).
[[nodiscard]] Error to_error(const ErrorBody& body, int status, std::string request_id = {});

/// The status to send with an error: its own, else that of its code in the table; 500 where the table has
/// none.
[[nodiscard]] int status_of(const Error& error) noexcept;

/// What a refusing answer means: `to_error` of a JSON body of ours, `HTTPError` for anything else (errors.md
/// 2), with the remedy `retry_later` for 408, 425, 429 and 5xx, else `fix_request`.
[[nodiscard]] Error error_of(const HttpResponse& response);

/// Whether the answer has a JSON body of ours, so that its verdict may be believed. Only such a 401 says
/// anything about a session (rule V1): another one may come from a proxy.
[[nodiscard]] bool has_error_body(const HttpResponse& response);

}  // namespace keyturn::protocol

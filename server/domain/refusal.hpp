// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <keyturn/base/error.hpp>

namespace keyturn::server {

/// An error as it goes on the wire: with the usual status of its code, or the one given.
/// `AppUnknownError` stands for an answer without `error_code` (errors.md 1).
[[nodiscard]] Error refusal(ErrorCode code, std::string text);
[[nodiscard]] Error refusal(ErrorCode code, int status, std::string text);

/// 400 `BadRequest`.
[[nodiscard]] Error bad_request(std::string text);

/// 401 `InvalidSession`. `reason` is set when the session once was and has ended (decisions.md).
[[nodiscard]] Error session_over(std::string text, EndReason reason = EndReason::none);

/// 503 for every fault of a store or another port, so that a fault never looks like a verdict (rule V1).
[[nodiscard]] Error unavailable(const Error& cause);

/// 404 "authentication via '<type>' is unsupported" (client-api.md 7.4): the provider is missing or disabled.
[[nodiscard]] Error provider_unsupported(std::string_view type);

/// 401 `AuthError` "unauthorized": the provider did not accept the credentials (client-api.md 7.4, texts
/// masked).
[[nodiscard]] Error not_accepted();

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include <keyturn/base/error.hpp>
#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {

/// What an answer to `POST auth/session` means.
enum class Verdict {
  refreshed,
  transient,     ///< Says nothing about the session, which is kept (promise 3).
  session_over,  ///< A recognised verdict of our server.
};

struct RefreshAnswer {
  Verdict verdict = Verdict::transient;
  Secret access_token{};                              ///< With `refreshed`.
  Error error{};                                      ///< Without; `reason` is set with `session_over`.
  std::optional<std::chrono::seconds> retry_after{};  ///< Asked for with a transient answer.
};

/// Judges by the closed list of rule S3: a session is over only on status 401, content type
/// `application/json`, and a complete JSON object with `error_code` `InvalidSession` or `UserDisabled`.
/// Everything else is transient, a 2xx without a usable token included. Pure. The answer must come from the
/// configured origin, without redirects; that is the transport's promise.
[[nodiscard]] RefreshAnswer judge_refresh(const Result<HttpResponse>& answer);

/// Whether a revocation (`DELETE auth/session`) needs no further try: it was done, or the session is over
/// already.
[[nodiscard]] bool revocation_delivered(const Result<HttpResponse>& answer);

/// Whether an answer to a request with an access token says that this token is no longer good
/// (client-api.md 1.3, 18): a 401 of ours with `InvalidSession`, or with the bare text "unauthorized".
[[nodiscard]] bool token_rejected(const HttpResponse& response);

}  // namespace keyturn::sdk

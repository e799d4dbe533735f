// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/error.hpp>
#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>
#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {

/// The closed list of rule S3, as data: the refusals of our server that say something about a session or a
/// token. What is not on it, whatever its status, says nothing (promise 3; errors.md).
///
/// An answer is on it with this status, content type `application/json`, a complete JSON object, and this
/// `error_code`, or, where that is empty, this text in `error` and no more.
struct KnownRefusal {
  int status;
  std::string_view error_code;
  std::string_view text;
  bool ends_session;    ///< As the answer to a refresh.
  bool nothing_to_end;  ///< As the answer to a log-out.
  bool rejects_token;   ///< As the answer to a request with an access token.
};
inline constexpr std::array<KnownRefusal, 4> kClosedList{{
    {401, "InvalidSession", "", true, true, true},
    {401, "UserDisabled", "", true, true, false},
    {401, "", "invalid session: failed to find refresh token", false, true, false},
    {401, "", "unauthorized", false, false, true},
}};

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

/// Judges by the closed list. Everything that is not on it is transient, a 2xx without a usable token
/// included. Pure. The answer must come from the configured origin, without redirects; that is the
/// transport's promise.
/// `now` is what is known of the server's time, for an answer that does not tell it.
[[nodiscard]] RefreshAnswer judge_refresh(const Result<HttpResponse>& answer,
                                          std::optional<WallTime> now = {});

/// What helps after a refresh that failed with `code` and ended nothing. Most causes pass; but without its
/// key a bound session cannot be refreshed, nor can one without a key where the app takes bound ones only.
[[nodiscard]] Remedy remedy_while_kept(ErrorCode code, std::string_view refresh_token);

/// Whether a revocation (`DELETE auth/session`) needs no further try: it was done, or the session is over
/// already.
[[nodiscard]] bool revocation_delivered(const Result<HttpResponse>& answer);

/// Whether an answer to a request with an access token says that this token is no longer good
/// (client-api.md 1.3, 18): a 401 of ours with `InvalidSession`, or with the bare text "unauthorized".
[[nodiscard]] bool token_rejected(const HttpResponse& response);

}  // namespace keyturn::sdk

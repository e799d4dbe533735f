// SPDX-License-Identifier: Apache-2.0
#include "server/domain/refusal.hpp"

#include <utility>

#include "core/base/error_codes.hpp"

namespace keyturn::server {

Error refusal(ErrorCode code, std::string text) {
  return refusal(code, base::row_of(code).status, std::move(text));
}

Error refusal(ErrorCode code, int status, std::string text) {
  Error error(code, std::move(text));
  error.http_status = status;
  return error;
}

Error bad_request(std::string text) { return refusal(ErrorCode::BadRequest, std::move(text)); }

Error session_over(std::string text, EndReason reason) {
  Error error = refusal(ErrorCode::InvalidSession, 401, std::move(text));
  error.reason = reason;
  return error;
}

Error unavailable(const Error& cause) { return refusal(ErrorCode::ServiceUnavailable, 503, cause.message); }

Error provider_unsupported(std::string_view type) {
  return refusal(ErrorCode::AuthProviderNotFound,
                 "authentication via '" + std::string(type) + "' is unsupported");
}

Error not_accepted() { return refusal(ErrorCode::AuthError, 401, "unauthorized"); }

}  // namespace keyturn::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <keyturn/base/http.hpp>
#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/api/call.hpp"
#include "server/domain/types.hpp"

// Who reaches the Data API or a custom endpoint (data-api.md 2).
namespace keyturn::server::api {

/// Whether the request brings an e-mail address and a password and no bearer, so that it may have to be
/// hashed.
[[nodiscard]] bool brings_password(const HttpHeaders& headers);

/// Who asks. Nobody known: the rules of the endpoint are not asked for a user.
struct EndpointCaller {
  std::optional<Principal> user;
  bool is_system = false;
};

/// Checks the secret or the signature of the request, as the endpoint's configuration wants it. Errors:
/// `IncomingWebhookAuthFailed` 401; `ServiceUnavailable`.
[[nodiscard]] Result<void> check_endpoint_secret(Call& call, const json::Object& endpoint);

/// Finds who asks, by the bearer, else by credentials in headers, or as the configuration says, and whether
/// its condition lets that user in. Sets `call.user_id` and `call.withheld`. No session comes into being.
///
/// A bearer or credentials that are not good answer 401 `InvalidSession` "invalid session: error finding user
/// for endpoint", whatever the cause, and with the reason when a session has ended; what is no verdict on
/// them (a store that cannot be read) stays what it is. Errors besides: `InvalidParameter`,
/// `MissingParameter`, `NoMatchingRuleFound` 400.
[[nodiscard]] Result<EndpointCaller> endpoint_caller(Call& call, const json::Object& endpoint);

/// Whether a `can_evaluate` lets this caller in: about `%%user` (nobody when the endpoint runs as the
/// system),
/// `%%values`, `%%environment` and `%%request`. Errors: `NoMatchingRuleFound`, naming what is not known.
[[nodiscard]] Result<bool> may_evaluate(Call& call, const json::Value& rule, const EndpointCaller& caller);

}  // namespace keyturn::server::api

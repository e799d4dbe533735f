// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/base/result.hpp>

#include "server/api/call.hpp"

namespace keyturn::server::api {

inline constexpr std::string_view kProofHeader = "DPoP";
inline constexpr std::string_view kNonceHeader = "DPoP-Nonce";

/// The thumbprint of the key that the request's `DPoP` header proves (RFC 9449); empty without the header.
/// Errors: `UseDpopNonce`, `InvalidDpopProof`.
[[nodiscard]] Result<std::string> proven_key(const Call& call);

}  // namespace keyturn::server::api

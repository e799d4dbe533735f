// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/crypto/openssl_handles.hpp"
#include "core/crypto/signature.hpp"

namespace keyturn::crypto {

/// Whether the key is of the scheme's kind and strong enough, as the makers of `SignatureKey` promise.
[[nodiscard]] bool is_usable(SignatureScheme scheme, EVP_PKEY* key);

}  // namespace keyturn::crypto

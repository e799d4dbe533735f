// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <keyturn/base/secret.hpp>

namespace keyturn::sdk {

/// What `Credentials` holds.
struct CredentialsData {
  std::string provider;         ///< Wire name (client-api.md 7.1).
  Secret payload;               ///< JSON object of the log-in body, without `options`.
  bool well_formed = false;     ///< Known to be that; nobody needs to parse it.
  bool reuse_existing = false;  ///< Of `anonymous`.
};

}  // namespace keyturn::sdk

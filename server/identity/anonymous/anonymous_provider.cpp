// SPDX-License-Identifier: Apache-2.0
#include "server/identity/anonymous/anonymous_provider.hpp"

#include "server/domain/accounts/random_names.hpp"

namespace keyturn::server::identity {

Result<ProvenIdentity> AnonymousProvider::verify(const App& /*app*/, const AuthProvider& /*provider*/,
                                                 const json::Object& /*credentials*/, WallTime now) {
  ProvenIdentity proven;
  proven.identity_id = new_object_id(now) + "-" + random_lower_letters(24);
  return proven;
}

}  // namespace keyturn::server::identity

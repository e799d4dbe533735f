// SPDX-License-Identifier: Apache-2.0
#include "server/domain/document_service.hpp"

namespace keyturn::server {

Result<std::optional<EjsonDocument>> DocumentService::custom_user_data(const App& /*app*/,
                                                                       std::string_view /*user_id*/) {
  return std::optional<EjsonDocument>();
}

}  // namespace keyturn::server

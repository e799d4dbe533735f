// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include <keyturn/base/result.hpp>

#include "core/json/value.hpp"
#include "server/domain/data/document_store.hpp"

namespace keyturn::server {

/// The documents of services that have a database of their own.
///
/// Thread safety: all members.
class LinkedDocuments {
 public:
  virtual ~LinkedDocuments() = default;

  /// The store of a service, as its document "services" says now; null: its documents are in the server's own
  /// store. Asked at each call; a store that is held goes on working when the service changes. Errors:
  /// `ServiceUnavailable` for a link that cannot be made, saying why.
  virtual Result<std::shared_ptr<DocumentStore>> store_of(std::string_view app_id,
                                                          std::string_view service_id,
                                                          const json::Value& service) = 0;

  /// Closes the connections of services that are gone or linked to somewhere else. Called now and then.
  virtual void close_unlinked() = 0;
};

}  // namespace keyturn::server

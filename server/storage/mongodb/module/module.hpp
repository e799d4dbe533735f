// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <keyturn/base/clock.hpp>

#include "server/domain/apps/app_store.hpp"
#include "server/domain/data/linked_documents.hpp"

namespace keyturn::server::mongodb {

/// What the shared object keyturn-mongodb.so gives to the server that loads it: libmongoc takes memory, time
/// and a shared segment from every process that it is loaded into, used or not.
///
/// The two speak in C++ types, so they are of one build: `version` is compared before anything else is
/// touched. The object is never unloaded.
struct Module {
  const char* version;
  /// Thread safety: any. Lifetime of the result: not beyond the store and the clock.
  std::unique_ptr<LinkedDocuments> (*linked_documents)(AppStore& apps, Clock& clock);
};

/// The symbol that is a `Module`.
inline constexpr const char* kModuleSymbol = "keyturn_mongodb_module";

}  // namespace keyturn::server::mongodb

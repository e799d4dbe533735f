// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "server/storage/mongodb/commands.hpp"

namespace keyturn::server::mongodb {

/// A document as it is, and as the caller sees it.
struct SeenDocument {
  EjsonDocument document;
  EjsonDocument seen;
};

/// The documents that match and that the gate shows, in order of `sort`, until `take` answers false. A gate
/// that hides members is asked first, and the query and the order, which must then be of the embedded
/// subset, are of what it shows. Errors: as `Commands::find`; `ReadSizeLimitExceeded` for more than 100,000
/// documents.
[[nodiscard]] Result<void> find_seen(Commands& commands, const EjsonDocument& query,
                                     const EjsonDocument& sort, const DocumentGate& gate,
                                     const std::function<bool(SeenDocument)>& take);

/// The first of them, or all.
[[nodiscard]] Result<std::vector<SeenDocument>> seen_documents(Commands& commands, const EjsonDocument& query,
                                                               const EjsonDocument& sort,
                                                               const DocumentGate& gate, bool many);

}  // namespace keyturn::server::mongodb

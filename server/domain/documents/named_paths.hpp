// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <keyturn/ejson.hpp>

#include "server/domain/documents/path.hpp"

// What an update is about, before anything of it is done: rules decide on that, since what it would do to a
// document tells what the document holds.
namespace keyturn::server::documents {

/// The paths that an update of the document names, whatever it makes of them: those of its operators, known
/// here or not, and both of a `$rename`; for a replacement all members of the document and of itself, but for
/// an `_id` that it keeps. Of `$setOnInsert`, which does nothing to a document that is there, only the paths
/// that must lead to an array.
[[nodiscard]] std::vector<Path> named_paths(const Ejson& update, const EjsonDocument& before);

/// Whether two forms of a document, of which one may lack members, hold the same at each path.
[[nodiscard]] bool same_at(const EjsonDocument& a, const EjsonDocument& b, const std::vector<Path>& paths);

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/domain/data/document_store.hpp"

// What every DocumentStore answers, as MongoDB's manual has it: one list of cases for all stores. A store's
// test program links this library and adds at namespace scope
//   const bool kHeld = register_document_conformance("Sqlite", make_store);
namespace keyturn::server::conformance {

/// One operation on a collection of its own. All texts are Extended JSON; types count, so 1 is an Int32, 1.0
/// a Double.
struct DocumentCase {
  const char* name;
  const char* stored;  ///< The documents of the collection, in the order of their insertion.
  const char*
      operation;  ///< find, count, aggregate, insert, faulty insert, update, counts, modify, remove, index.
  const char* request;  ///< Members as the fields of the store's queries: "filter", "update", "many", ...
  /// The answer; for `update`, `insert` and `remove` the documents afterwards, by `_id`. After "!": a text
  /// that the error has.
  const char* expected;
  const char* other = "[]";  ///< The documents of the collection "other", for `$lookup`.
};

[[nodiscard]] const std::vector<DocumentCase>& query_cases();
[[nodiscard]] const std::vector<DocumentCase>& shape_cases();
[[nodiscard]] const std::vector<DocumentCase>& update_cases();
[[nodiscard]] const std::vector<DocumentCase>& array_update_cases();
[[nodiscard]] const std::vector<DocumentCase>& resolved_update_cases();
[[nodiscard]] const std::vector<DocumentCase>& upsert_cases();
[[nodiscard]] const std::vector<DocumentCase>& write_cases();
[[nodiscard]] const std::vector<DocumentCase>& pipeline_cases();
[[nodiscard]] const std::vector<DocumentCase>& refusal_cases();
[[nodiscard]] const std::vector<DocumentCase>& error_cases();

/// Registers a test for each case. The store is made once, when the first case runs, and is empty then; the
/// pointer keeps whatever it needs.
bool register_document_conformance(std::string store_name,
                                   std::function<std::shared_ptr<DocumentStore>()> make);

}  // namespace keyturn::server::conformance

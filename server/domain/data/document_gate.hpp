// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/documents/path.hpp"

namespace keyturn::server {

/// What one caller may see of a collection and do to it, as its rules say. To the caller a collection holds
/// what `view` shows and nothing else: queries, orders and pipelines never reach what is behind it.
///
/// Pure and quick: a store asks it inside its own step, so that what was decided is still true when the
/// change is made. Thread safety: immutable.
class DocumentGate {
 public:
  DocumentGate() = default;
  DocumentGate(const DocumentGate&) = delete;
  DocumentGate& operator=(const DocumentGate&) = delete;
  virtual ~DocumentGate() = default;

  /// A filter that every document the caller sees matches, so that a store can use an index; empty: none is
  /// known.
  [[nodiscard]] virtual EjsonDocument prefilter() const = 0;
  /// True: each document that matches the prefilter is seen, and as a whole, so that whoever can apply the
  /// filter need not ask `view`.
  [[nodiscard]] virtual bool prefilter_is_exact() const { return false; }
  /// False: a document is seen as a whole or not at all.
  [[nodiscard]] virtual bool hides_members() const = 0;

  /// The document as the caller sees it; nothing: for the caller it does not exist.
  [[nodiscard]] virtual std::optional<EjsonDocument> view(const EjsonDocument& document) const = 0;

  // Errors: `NoMatchingRuleFound`, naming what is not permitted.
  [[nodiscard]] virtual Result<void> check_insert(const EjsonDocument& after) const = 0;
  /// Before an update is carried out: whether the caller may write where it names a path
  /// (`documents::named_paths`), as far as that does not depend on what comes of it. So neither a fault of
  /// the update nor that it changes nothing tells what is stored there.
  [[nodiscard]] virtual Result<void> check_named(const EjsonDocument& before,
                                                 const std::vector<documents::Path>& named) const = 0;
  /// Of what has come of it: every difference, and every named path as if it were one.
  [[nodiscard]] virtual Result<void> check_update(const EjsonDocument& before, const EjsonDocument& after,
                                                  const std::vector<documents::Path>& named) const = 0;
  [[nodiscard]] virtual Result<void> check_remove(const EjsonDocument& before) const = 0;
};

/// Whether what a gate did not allow lies in that one document, and not in what its caller may do.
[[nodiscard]] inline bool is_about_one_document(const Error& refused) noexcept {
  return refused.code == ErrorCode::SchemaValidationFailedWrite;
}

}  // namespace keyturn::server

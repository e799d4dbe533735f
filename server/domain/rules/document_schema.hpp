// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

#include "server/domain/data/document_gate.hpp"

namespace keyturn::server::data {

/// The schema of a collection (admin-api.md 8): `bsonType` (a name or a list), `required`, `properties`,
/// `additionalProperties`, `items`, `enum`, `minimum`, `maximum`, `minLength`, `maxLength`, `pattern`,
/// `minItems`, `maxItems`, `uniqueItems`; `title` and `description` say nothing.
///
/// Thread safety: immutable. Errors of `compile`: `SchemaValidationFailedWrite`, naming what is not known:
/// then nothing can be written.
class DocumentSchema {
 public:
  [[nodiscard]] static Result<DocumentSchema> compile(const Ejson& text);
  /// What is wrong with the document, and where; nothing: it fits.
  [[nodiscard]] std::optional<std::string> fault_of(const EjsonDocument& document) const;

  struct Node;

 private:
  explicit DocumentSchema(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

/// A gate that lets in what `gate` lets in and the schema fits. Errors of its checks:
/// `SchemaValidationFailedWrite`, whose text begins with "insert not permitted" or "update not permitted".
[[nodiscard]] std::shared_ptr<const DocumentGate> with_schema(std::shared_ptr<const DocumentGate> gate,
                                                              DocumentSchema schema);

}  // namespace keyturn::server::data

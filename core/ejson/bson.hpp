// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <keyturn/base/result.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::ejson {

/// Deepest nesting of a document (decisions.md "JSON depth"; MongoDB's own limit).
inline constexpr int kMaxDepth = 100;
/// Largest text or document: 18 MB (decisions.md "body sizes").
inline constexpr std::size_t kMaxBytes = std::size_t{18} * 1024 * 1024;

/// The BSON bytes of a document (bsonspec.org). Errors: `BadRequest` for a member name with a NUL byte.
[[nodiscard]] Result<std::string> to_bson(const EjsonDocument& document);

/// Reads BSON bytes. Errors: `BadRequest` for damaged bytes, too deep nesting, or a type that has no place in
/// `Ejson` (JavaScript code, DBPointer).
[[nodiscard]] Result<EjsonDocument> from_bson(std::string_view bytes);

}  // namespace keyturn::ejson

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

/// A dotted path cut at its dots: "a.0.b".
class Path {
 public:
  explicit Path(std::string_view dotted);
  /// Of names that may hold dots; at least one.
  [[nodiscard]] static Path of_parts(std::vector<std::string> parts);
  [[nodiscard]] const std::vector<std::string>& parts() const noexcept { return parts_; }

 private:
  Path() = default;
  std::vector<std::string> parts_;
};

/// The path as it was written.
[[nodiscard]] std::string dotted(const Path& path);

/// Whether a name on the path is empty, as in "a..b".
[[nodiscard]] bool has_empty_part(const Path& path);

/// The array index that a part of a path may be: digits without a leading zero.
[[nodiscard]] std::optional<std::size_t> array_index(std::string_view part);

/// Called with each value that a path reaches, and with null for a place where it ends in nothing; `index` is
/// the element of the first array that was passed on the way. Answering true ends the walk.
using PathVisitor = std::function<bool(const Ejson* value, std::optional<std::size_t> index)>;

/// Walks a path through documents and, as queries do, through the elements of arrays: a part that is a number
/// names an element as well as a member of the elements. Arrays at the end of the path are visited whole, not
/// element by element. True when the visitor ended it.
bool walk(const EjsonDocument& document, const Path& path, const PathVisitor& visit);

/// The value at a path that passes through documents only, or null.
[[nodiscard]] const Ejson* find_plain(const EjsonDocument& document, const Path& path);

}  // namespace keyturn::server::documents

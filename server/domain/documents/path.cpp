// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/path.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace keyturn::server::documents {
namespace {

using ArrayIndex = std::optional<std::size_t>;

bool walk_value(const Ejson& value, const Path& path, std::size_t depth, ArrayIndex index,
                const PathVisitor& visit);

bool walk_document(const EjsonDocument& document, const Path& path, std::size_t depth, ArrayIndex index,
                   const PathVisitor& visit) {
  const Ejson* member = document.find(path.parts()[depth]);
  return member == nullptr ? visit(nullptr, index) : walk_value(*member, path, depth + 1, index, visit);
}

bool walk_array(const EjsonArray& array, const Path& path, std::size_t depth, ArrayIndex index,
                const PathVisitor& visit) {
  if (const auto element = array_index(path.parts()[depth]); element && *element < array.size()) {
    if (walk_value(array[*element], path, depth + 1, index, visit)) return true;
  }
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto* document = array[i].get_if<EjsonDocument>();
    if (document != nullptr && walk_document(*document, path, depth, index ? index : i, visit)) return true;
  }
  return false;
}

bool walk_value(const Ejson& value, const Path& path, std::size_t depth, ArrayIndex index,
                const PathVisitor& visit) {
  if (depth == path.parts().size()) return visit(&value, index);
  if (const auto* document = value.get_if<EjsonDocument>())
    return walk_document(*document, path, depth, index, visit);
  if (const auto* array = value.get_if<EjsonArray>()) return walk_array(*array, path, depth, index, visit);
  return visit(nullptr, index);
}

}  // namespace

Path::Path(std::string_view dotted) {
  for (std::size_t from = 0; from <= dotted.size();) {
    const std::size_t dot = std::min(dotted.find('.', from), dotted.size());
    parts_.emplace_back(dotted.substr(from, dot - from));
    from = dot + 1;
  }
}

Path Path::of_parts(std::vector<std::string> parts) {
  Path path;
  path.parts_ = std::move(parts);
  return path;
}

std::string dotted(const Path& path) {
  std::string text;
  for (const std::string& part : path.parts()) {
    if (&part != &path.parts().front()) text += '.';
    text += part;
  }
  return text;
}

bool has_empty_part(const Path& path) {
  return std::any_of(path.parts().begin(), path.parts().end(),
                     [](const std::string& part) { return part.empty(); });
}

std::optional<std::size_t> array_index(std::string_view part) {
  std::size_t index = 0;
  const auto [end, fault] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (fault != std::errc{} || end != part.data() + part.size() || (part.size() > 1 && part.front() == '0'))
    return std::nullopt;
  return index;
}

bool walk(const EjsonDocument& document, const Path& path, const PathVisitor& visit) {
  return walk_document(document, path, 0, std::nullopt, visit);
}

const Ejson* find_plain(const EjsonDocument& document, const Path& path) {
  const EjsonDocument* at = &document;
  const Ejson* value = nullptr;
  for (const std::string& part : path.parts()) {
    value = at == nullptr ? nullptr : at->find(part);
    if (value == nullptr) return nullptr;
    at = value->get_if<EjsonDocument>();
  }
  return value;
}

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/upsert_seed.hpp"

#include <map>
#include <string>

#include "server/domain/documents/path.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

bool lies_below(const std::string& path, const std::string& above) {
  return path.size() > above.size() && path.starts_with(above) && path[above.size()] == '.';
}

// No other path leads here or further, so all on the way are documents.
void put(EjsonDocument& document, const Path& path, const Ejson& value) {
  EjsonDocument* at = &document;
  for (const std::string& part : path.parts()) {
    if (&part == &path.parts().back()) {
      at->set(part, value);
      return;
    }
    Ejson* child = at->find(part);
    if (child == nullptr) child = &at->set(part, EjsonDocument{});
    at = child->get_if<EjsonDocument>();
  }
}

}  // namespace

Result<EjsonDocument> upsert_seed(const Filter& filter, bool is_replacement) {
  std::map<std::string, Ejson> values;
  for (const auto& [path, value] : filter.equalities()) {
    if (is_replacement && path != "_id") {
      if (!lies_below(path, "_id")) continue;
      return refused("field at '_id' must be exactly specified, field at sub-path '" + path + "' found");
    }
    for (const auto& other : values) {
      if (path == other.first)
        return refused("cannot infer query fields to set, path '" + path + "' is matched twice");
      if (lies_below(path, other.first) || lies_below(other.first, path))
        return refused("cannot infer query fields to set, both paths '" + path + "' and '" + other.first +
                       "' are matched");
    }
    values.emplace(path, value);
  }
  EjsonDocument seed;
  for (const auto& [path, value] : values) put(seed, Path(path), value);
  return seed;
}

}  // namespace keyturn::server::documents

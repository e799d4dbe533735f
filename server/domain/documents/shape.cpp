// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/shape.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/domain/documents/path.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

std::optional<bool> included(const Ejson& value) {
  if (const auto* flag = value.get_if<bool>()) return *flag;
  if (const auto number = value.to_double()) return *number != 0;
  return std::nullopt;
}

// The leaves of a tree of names: what is included or excluded, and what is computed later.
const Ejson kNamed;
const Ejson kComputed{true};

bool is_leaf(const Ejson& node) { return node.get_if<EjsonDocument>() == nullptr; }

// Adds a path to a tree of names; false when it runs through another path.
bool add_path(EjsonDocument& tree, const Path& path, const Ejson& leaf) {
  EjsonDocument* at = &tree;
  for (std::size_t i = 0; i < path.parts().size(); ++i) {
    const bool last = i + 1 == path.parts().size();
    Ejson* child = at->find(path.parts()[i]);
    if (child != nullptr && (last || is_leaf(*child))) return false;
    if (child == nullptr) child = &at->set(path.parts()[i], last ? leaf : Ejson(EjsonDocument{}));
    at = child->get_if<EjsonDocument>();
  }
  return true;
}

bool holds_computed(const EjsonDocument& tree) {
  return std::any_of(tree.begin(), tree.end(), [](const auto& member) {
    const auto* below = member.second.template get_if<EjsonDocument>();
    return below == nullptr ? member.second == kComputed : holds_computed(*below);
  });
}

EjsonDocument shape(const EjsonDocument& document, const EjsonDocument& tree, bool include);

// What becomes of a value whose members are named; nothing: it is left out.
std::optional<Ejson> shape_value(const Ejson& value, const EjsonDocument& tree, bool include) {
  if (const auto* document = value.get_if<EjsonDocument>()) return shape(*document, tree, include);
  const auto* array = value.get_if<EjsonArray>();
  if (array == nullptr) {
    if (!include) return value;
    if (holds_computed(tree)) return EjsonDocument{};  // the place of what is computed
    return std::nullopt;
  }
  EjsonArray shaped;
  for (const Ejson& element : *array) {
    if (auto each = shape_value(element, tree, include)) shaped.push_back(std::move(*each));
  }
  return shaped;
}

EjsonDocument shape(const EjsonDocument& document, const EjsonDocument& tree, bool include) {
  EjsonDocument shaped;
  for (const auto& [name, value] : document) {
    const Ejson* named = tree.find(name);
    if (named == nullptr || is_leaf(*named)) {
      const bool shown = include ? named != nullptr && *named != kComputed : named == nullptr;
      if (shown) shaped.append(name, value);
    } else if (auto part = shape_value(value, *named->get_if<EjsonDocument>(), include)) {
      shaped.append(name, std::move(*part));
    }
  }
  return shaped;
}

}  // namespace

Result<Projection> Projection::compile(const EjsonDocument& specification,
                                       const std::vector<std::string>& computed) {
  Projection projection;
  for (const std::string& path : computed) {
    projection.mode_ = Mode::include;
    if (path == "_id") projection.keep_id_ = false;
    if (path != "_id" && !add_path(projection.tree_, Path(path), kComputed))
      return refused("Path collision at " + path);
  }
  for (const auto& [path, value] : specification) {
    const auto shown = included(value);
    if (!shown) return outside_the_subset("the projection of '" + path + "' by an expression");
    if (path == "_id") {
      projection.keep_id_ = *shown;
      continue;
    }
    if (has_empty_part(Path(path))) return refused("FieldPath field names may not be empty: '" + path + "'");
    if (path.find('$') != std::string::npos) return outside_the_subset("the projection path '" + path + "'");
    const Mode mode = *shown ? Mode::include : Mode::exclude;
    if (projection.mode_ != Mode::everything && projection.mode_ != mode) {
      return refused("Cannot do " + std::string(*shown ? "inclusion" : "exclusion") + " on field " + path +
                     " in " + (*shown ? "exclusion" : "inclusion") + " projection");
    }
    projection.mode_ = mode;
    if (!add_path(projection.tree_, Path(path), kNamed)) return refused("Path collision at " + path);
  }
  const Ejson* id = specification.find("_id");
  if (projection.mode_ == Mode::everything && id != nullptr && projection.keep_id_)
    projection.mode_ = Mode::include;
  return projection;
}

EjsonDocument Projection::apply(const EjsonDocument& document) const {
  EjsonDocument shaped =
      mode_ == Mode::everything ? document : shape(document, tree_, mode_ == Mode::include);
  if (!keep_id_) {
    shaped.erase("_id");
    return shaped;
  }
  const Ejson* id = document.find("_id");
  if (mode_ != Mode::include || id == nullptr) return shaped;
  if (shaped.contains("_id")) return shaped;  // a part of it was named
  EjsonDocument with_id{{"_id", *id}};
  for (const auto& [name, value] : shaped) with_id.append(name, value);
  return with_id;
}

}  // namespace keyturn::server::documents

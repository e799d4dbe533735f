// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/shape.hpp"

#include <algorithm>
#include <functional>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/path.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

std::optional<bool> included(const Ejson& value) {
  if (const auto* flag = value.get_if<bool>()) return *flag;
  if (const auto number = value.to_double()) return *number != 0;
  return std::nullopt;
}

// Adds a path to a tree of names; false when it runs through another path.
bool add_path(EjsonDocument& tree, const Path& path) {
  EjsonDocument* at = &tree;
  for (std::size_t i = 0; i < path.parts().size(); ++i) {
    const bool last = i + 1 == path.parts().size();
    Ejson* child = at->find(path.parts()[i]);
    if (child != nullptr && (last || child->is_null())) return false;
    if (child == nullptr) child = &at->set(path.parts()[i], last ? Ejson() : Ejson(EjsonDocument{}));
    at = child->get_if<EjsonDocument>();
  }
  return true;
}

EjsonDocument shape(const EjsonDocument& document, const EjsonDocument& tree, bool include);

Ejson shape_value(const Ejson& value, const EjsonDocument& tree, bool include) {
  if (const auto* document = value.get_if<EjsonDocument>()) return shape(*document, tree, include);
  EjsonArray shaped;
  for (const Ejson& element : *value.get_if<EjsonArray>()) {
    const bool nested = element.get_if<EjsonDocument>() != nullptr || element.get_if<EjsonArray>() != nullptr;
    if (nested) {
      shaped.push_back(shape_value(element, tree, include));
    } else if (!include) {
      shaped.push_back(element);
    }
  }
  return shaped;
}

EjsonDocument shape(const EjsonDocument& document, const EjsonDocument& tree, bool include) {
  EjsonDocument shaped;
  for (const auto& [name, value] : document) {
    const Ejson* named = tree.find(name);
    if (named == nullptr) {
      if (!include) shaped.append(name, value);
    } else if (named->is_null()) {
      if (include) shaped.append(name, value);
    } else if (value.get_if<EjsonDocument>() != nullptr || value.get_if<EjsonArray>() != nullptr) {
      shaped.append(name, shape_value(value, *named->get_if<EjsonDocument>(), include));
    } else if (!include) {
      shaped.append(name, value);
    }
  }
  return shaped;
}

}  // namespace

Result<Projection> Projection::compile(const EjsonDocument& specification) {
  Projection projection;
  for (const auto& [path, value] : specification) {
    const auto shown = included(value);
    if (!shown) return outside_the_subset("the projection of '" + path + "' by an expression");
    if (path == "_id") {
      projection.keep_id_ = *shown;
      continue;
    }
    if (path.find('$') != std::string::npos) return outside_the_subset("the projection path '" + path + "'");
    const Mode mode = *shown ? Mode::include : Mode::exclude;
    if (projection.mode_ != Mode::everything && projection.mode_ != mode) {
      return refused("Cannot do " + std::string(*shown ? "inclusion" : "exclusion") + " on field " + path +
                     " in " + (*shown ? "exclusion" : "inclusion") + " projection");
    }
    projection.mode_ = mode;
    if (!add_path(projection.tree_, Path(path))) return refused("Path collision at " + path);
  }
  const Ejson* id = specification.find("_id");
  if (projection.mode_ == Mode::exclude && id != nullptr && projection.keep_id_)
    return refused("Cannot do inclusion on field _id in exclusion projection");
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

Result<Sort> Sort::compile(const EjsonDocument& specification) {
  Sort sort;
  for (const auto& [path, value] : specification) {
    const auto direction = value.to_int64();
    if (!direction || (*direction != 1 && *direction != -1)) {
      if (value.get_if<EjsonDocument>() != nullptr) return outside_the_subset("$meta in a sort");
      return refused("$sort key ordering must be 1 (for ascending) or -1 (for descending)");
    }
    sort.keys_.push_back({Path(path), *direction < 0});
  }
  return sort;
}

namespace {

// As `walk`, but what an index of a sort reads: a number names an element, unless it is a member of one.
void walk_key(const Ejson& value, const std::vector<std::string>& parts, std::size_t depth,
              const std::function<void(const Ejson*)>& take) {
  if (depth == parts.size()) return take(&value);
  if (const auto* document = value.get_if<EjsonDocument>()) {
    const Ejson* member = document->find(parts[depth]);
    return member == nullptr ? take(nullptr) : walk_key(*member, parts, depth + 1, take);
  }
  const auto* array = value.get_if<EjsonArray>();
  if (array == nullptr) return take(nullptr);
  const auto index = array_index(parts[depth]);
  const bool is_member = std::any_of(array->begin(), array->end(), [&](const Ejson& element) {
    return element.find(parts[depth]) != nullptr;
  });
  if (index && !is_member)
    return *index < array->size() ? walk_key((*array)[*index], parts, depth + 1, take) : take(nullptr);
  for (const Ejson& element : *array) {
    if (element.get_if<EjsonDocument>() != nullptr)
      walk_key(element, parts, depth, take);
    else
      take(nullptr);
  }
}

// An empty array comes before null, though both are found by a query for null.
std::weak_ordering compare_keys(const Ejson& a, const Ejson& b) {
  const auto order = compare(a, b);
  if (order != 0 || type_bracket(a) != type_bracket(BsonUndefined{})) return order;
  const auto rank = [](const Ejson& value) { return value.get_if<BsonUndefined>() != nullptr ? 0 : 1; };
  return rank(a) <=> rank(b);
}

}  // namespace

// The value a document sorts by: its least element when ascending, its greatest when descending.
Ejson Sort::key_of(const EjsonDocument& document, const Key& key) {
  std::optional<Ejson> best;
  const auto consider = [&](const Ejson& value) {
    const bool better =
        !best || (key.descending ? compare_keys(value, *best) > 0 : compare_keys(value, *best) < 0);
    if (better) best = value;
  };
  const Ejson* first = document.find(key.path.parts().front());
  if (first == nullptr) return {};
  walk_key(*first, key.path.parts(), 1, [&](const Ejson* value) {
    const auto* array = value == nullptr ? nullptr : value->get_if<EjsonArray>();
    if (array == nullptr) {
      consider(value == nullptr ? Ejson() : *value);
    } else if (array->empty()) {
      consider(Ejson(BsonUndefined{}));
    } else {
      for (const Ejson& element : *array) consider(element);
    }
  });
  return best.value_or(Ejson());
}

template <class T, class DocumentOf>
void Sort::apply_to(std::vector<T>& items, const DocumentOf& document_of) const {
  struct Row {
    std::vector<Ejson> keys;
    std::size_t index;
  };
  std::vector<Row> rows;
  rows.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    Row row{{}, i};
    for (const Key& key : keys_) row.keys.push_back(key_of(document_of(items[i]), key));
    rows.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [this](const Row& a, const Row& b) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const auto order = compare_keys(a.keys[i], b.keys[i]);
      if (order != 0) return keys_[i].descending ? order > 0 : order < 0;
    }
    return false;
  });
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const Row& row : rows) sorted.push_back(std::move(items[row.index]));
  items = std::move(sorted);
}

void Sort::apply(std::vector<EjsonDocument>& documents) const {
  if (keys_.empty()) return;
  apply_to(documents, [](const EjsonDocument& document) -> const EjsonDocument& { return document; });
}

void Sort::apply_to_values(EjsonArray& values) const {
  static const EjsonDocument kNone;
  apply_to(values, [](const Ejson& value) -> const EjsonDocument& {
    const auto* document = value.get_if<EjsonDocument>();
    return document == nullptr ? kNone : *document;
  });
}

}  // namespace keyturn::server::documents

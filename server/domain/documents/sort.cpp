// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/sort.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "server/domain/documents/refusals.hpp"
#include "server/domain/documents/sort_key.hpp"

namespace keyturn::server::documents {
namespace {

struct Row {
  SortKey key;
  std::size_t index;
};

template <class T>
void reorder(std::vector<T>& items, std::vector<Row> rows, const std::vector<Sort::Key>& keys) {
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& a, const Row& b) { return comes_before(a.key, b.key, keys); });
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const Row& row : rows) sorted.push_back(std::move(items[row.index]));
  items = std::move(sorted);
}

Ejson value_at(const Ejson& element, const Path& path) {
  const Ejson* at = element.get_if<EjsonDocument>() == nullptr ? nullptr : &element;
  for (const std::string& part : path.parts()) {
    const auto* array = at == nullptr ? nullptr : at->get_if<EjsonArray>();
    const auto index = array_index(part);
    if (array != nullptr) {
      at = index && *index < array->size() ? &(*array)[*index] : nullptr;
    } else {
      at = at == nullptr ? nullptr : at->find(part);
    }
  }
  return at == nullptr ? Ejson() : *at;
}

}  // namespace

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

Result<void> Sort::apply(std::vector<EjsonDocument>& documents) const {
  if (keys_.empty()) return {};
  std::vector<Row> rows;
  rows.reserve(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto key = first_sort_key(documents[i], keys_);
    if (!key) return key.error();
    rows.push_back({std::move(*key), i});
  }
  reorder(documents, std::move(rows), keys_);
  return {};
}

void Sort::apply_to_elements(EjsonArray& elements) const {
  std::vector<Row> rows;
  rows.reserve(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    SortKey key;
    for (const Key& each : keys_) key.push_back(value_at(elements[i], each.path));
    rows.push_back({std::move(key), i});
  }
  reorder(elements, std::move(rows), keys_);
}

}  // namespace keyturn::server::documents

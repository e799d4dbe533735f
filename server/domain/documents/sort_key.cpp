// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/sort_key.hpp"

#include <algorithm>
#include <compare>
#include <functional>
#include <optional>
#include <utility>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

// An empty array comes before null, though both are found by a query for null.
std::weak_ordering compare_keys(const Ejson& a, const Ejson& b) {
  const auto order = compare(a, b);
  if (order != 0 || type_bracket(a) != type_bracket(BsonUndefined{})) return order;
  const auto rank = [](const Ejson& value) { return value.get_if<BsonUndefined>() != nullptr ? 0 : 1; };
  return rank(a) <=> rank(b);
}

/// How far one key has come on its path: at a value, or at an array that is still to be gone through.
struct Position {
  const Ejson* value = nullptr;  ///< Null: nothing is there.
  std::size_t depth = 0;
  bool is_final = false;
};

const Ejson kNothing;
const Ejson kEmptyArray{BsonUndefined{}};

// A number on the path names an element, unless it is a member of one.
bool names_element(const EjsonArray& array, const std::string& part) {
  return array_index(part) && std::none_of(array.begin(), array.end(), [&](const Ejson& element) {
           return element.find(part) != nullptr;
         });
}

// Goes on through documents, up to a value or the next array.
Position advanced(Position at, const std::vector<std::string>& parts) {
  while (!at.is_final) {
    const bool ends_here = at.depth == parts.size();
    const auto* document = at.value == nullptr ? nullptr : at.value->get_if<EjsonDocument>();
    const auto* array = at.value == nullptr ? nullptr : at.value->get_if<EjsonArray>();
    if (ends_here && array == nullptr) {
      at.is_final = true;
    } else if (!ends_here && document != nullptr) {
      at.value = document->find(parts[at.depth++]);
    } else if (!ends_here && array != nullptr && names_element(*array, parts[at.depth])) {
      const std::size_t index = *array_index(parts[at.depth++]);
      at.value = index < array->size() ? &(*array)[index] : nullptr;
    } else if (array != nullptr) {
      return at;
    } else {
      at = {nullptr, parts.size(), true};
    }
  }
  return at;
}

/// Makes each key that the arrays of a document allow.
class KeyMaker {
 public:
  using Take = std::function<void(SortKey)>;
  KeyMaker(const std::vector<Sort::Key>& keys, Take take) : keys_(keys), take_(std::move(take)) {}

  Result<void> make(const EjsonDocument& document) {
    std::vector<Position> positions;
    for (const Sort::Key& key : keys_)
      positions.push_back({document.find(key.path.parts().front()), 1, false});
    return go_on(std::move(positions));
  }

 private:
  Result<void> go_on(std::vector<Position> positions) {
    const Ejson* shared = nullptr;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      positions[i] = advanced(positions[i], keys_[i].path.parts());
      if (positions[i].is_final) continue;
      if (shared != nullptr && shared != positions[i].value)
        return refused("cannot sort with keys that are parallel arrays");
      shared = positions[i].value;
    }
    if (shared == nullptr) {
      take(positions);
      return {};
    }
    const EjsonArray& array = *shared->get_if<EjsonArray>();
    if (array.empty()) return go_on(entered(positions, nullptr));
    for (const Ejson& element : array) {
      if (auto done = go_on(entered(positions, &element)); !done) return done;
    }
    return {};
  }

  /// All keys that wait at the array go into the same element; null: it has none. Arrays in arrays are
  /// values.
  [[nodiscard]] std::vector<Position> entered(std::vector<Position> positions, const Ejson* element) const {
    for (std::size_t i = 0; i < positions.size(); ++i) {
      Position& at = positions[i];
      if (at.is_final) continue;
      const bool ends_here = at.depth == keys_[i].path.parts().size();
      if (ends_here) {
        at.value = element == nullptr ? &kEmptyArray : element;
        at.is_final = true;
      } else {
        const bool leads_on = element != nullptr && element->get_if<EjsonDocument>() != nullptr;
        at.value = leads_on ? element : nullptr;
        at.is_final = !leads_on;
      }
    }
    return positions;
  }

  void take(const std::vector<Position>& positions) const {
    SortKey key;
    key.reserve(positions.size());
    for (const Position& at : positions) key.push_back(at.value == nullptr ? kNothing : *at.value);
    take_(std::move(key));
  }

  const std::vector<Sort::Key>& keys_;
  Take take_;
};

}  // namespace

bool comes_before(const SortKey& a, const SortKey& b, const std::vector<Sort::Key>& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto order = compare_keys(a[i], b[i]);
    if (order != 0) return keys[i].descending ? order > 0 : order < 0;
  }
  return false;
}

Result<SortKey> first_sort_key(const EjsonDocument& document, const std::vector<Sort::Key>& keys) {
  std::optional<SortKey> first;
  KeyMaker maker(keys, [&](SortKey key) {
    if (!first || comes_before(key, *first, keys)) first = std::move(key);
  });
  if (auto done = maker.make(document); !done) return done.error();
  return std::move(*first);
}

std::vector<Ejson> index_values(const EjsonDocument& document, const Path& path) {
  std::vector<Ejson> values;
  const std::vector<Sort::Key> keys{{path, false}};
  KeyMaker maker(keys, [&](SortKey key) { values.push_back(std::move(key.front())); });
  static_cast<void>(maker.make(document));  // one path meets no second array
  return values;
}

}  // namespace keyturn::server::documents

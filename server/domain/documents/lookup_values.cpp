// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/lookup_values.hpp"

#include <algorithm>
#include <optional>

#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

bool is_undefined_value(const Ejson& value) { return value.get_if<BsonUndefined>() != nullptr; }

}  // namespace

Result<LookupValues> LookupValues::of(const EjsonDocument& document, const Path& local) {
  LookupValues wanted;
  bool names_undefined = false;
  const auto add = [&](const Ejson& value) {
    names_undefined = names_undefined || is_undefined_value(value);
    wanted.values_.insert(value);
  };
  walk(document, local, [&](const Ejson* value, std::optional<std::size_t>) {
    const auto* several = value == nullptr ? nullptr : value->get_if<EjsonArray>();
    if (several != nullptr) std::for_each(several->begin(), several->end(), add);
    if (several == nullptr && value != nullptr) add(*value);
    return false;
  });
  if (names_undefined) return refused("cannot compare to undefined");
  if (wanted.values_.empty()) wanted.values_.insert(Ejson());
  return wanted;
}

bool LookupValues::are_found_in(const EjsonDocument& document, const Path& foreign) const {
  return walk(document, foreign, [&](const Ejson* value, std::optional<std::size_t>) {
    if (value == nullptr) return have(Ejson());
    const auto* several = value->get_if<EjsonArray>();
    return have(*value) || (several != nullptr && std::any_of(several->begin(), several->end(),
                                                              [&](const Ejson& each) { return have(each); }));
  });
}

// `undefined` stands beside null in the order of values, but is found by itself only.
bool LookupValues::have(const Ejson& value) const {
  return !is_undefined_value(value) && values_.contains(value);
}

}  // namespace keyturn::server::documents

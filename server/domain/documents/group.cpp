// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/group.hpp"

#include <algorithm>
#include <map>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {

Result<Group> Group::compile(const EjsonDocument& specification) {
  static const std::map<std::string, Kind, std::less<>> kKinds = {
      {"$sum", Kind::sum},     {"$avg", Kind::avg},   {"$min", Kind::min},   {"$max", Kind::max},
      {"$first", Kind::first}, {"$last", Kind::last}, {"$push", Kind::push}, {"$addToSet", Kind::add_to_set},
      {"$count", Kind::count}};
  const Ejson* id = specification.find("_id");
  if (id == nullptr) return refused("a group specification must include an _id");
  auto id_expression = Expression::compile(*id);
  if (!id_expression) return id_expression.error();
  std::vector<Accumulator> accumulators;
  for (const auto& [name, value] : specification) {
    if (name == "_id") continue;
    const auto* document = value.get_if<EjsonDocument>();
    if (document == nullptr || document->size() != 1)
      return refused("The field '" + name + "' must be an accumulator object");
    if (name.find('.') != std::string::npos)
      return refused("The field name '" + name + "' cannot contain '.'");
    if (name.starts_with('$')) return refused("The field name '" + name + "' cannot be an operator name");
    const auto kind = kKinds.find(document->begin()->first);
    if (kind == kKinds.end()) return outside_the_subset("the accumulator " + document->begin()->first);
    const Ejson* operand = &document->begin()->second;
    if (operand->get_if<EjsonArray>() != nullptr)
      return refused("The " + kind->first + " accumulator is a unary operator");
    if (kind->second == Kind::count && *operand != Ejson(EjsonDocument()))
      return refused("$count takes no arguments, i.e. $count:{}");
    auto expression = Expression::compile(kind->second == Kind::count ? Ejson() : *operand);
    if (!expression) return expression.error();
    accumulators.push_back({name, kind->second, std::move(*expression)});
  }
  return Group(std::move(*id_expression), std::move(accumulators));
}

Result<void> Group::take(const Accumulator& accumulator, State& state, const std::optional<Ejson>& value) {
  const bool present = value && !value->is_null() && value->get_if<BsonUndefined>() == nullptr;
  switch (accumulator.kind) {
    case Kind::count:
      ++state.count;
      return {};
    case Kind::sum:
    case Kind::avg: {
      if (!value || !is_number(*value)) return {};  // MongoDB passes over what is no number
      if (value->get_if<Decimal128>() != nullptr) return outside_the_subset("the sum of Decimal128 values");
      state.total.add(*value);
      ++state.count;
      return {};
    }
    case Kind::min:
    case Kind::max: {
      if (!present) return {};
      const auto order = state.started ? compare(*value, state.value) : std::weak_ordering::equivalent;
      const bool better = !state.started || (accumulator.kind == Kind::min ? order < 0 : order > 0);
      if (better) state.value = *value;
      state.started = true;
      return {};
    }
    case Kind::first:
      if (!state.started) state.value = value.value_or(Ejson());
      state.started = true;
      return {};
    case Kind::last:
      state.value = value.value_or(Ejson());
      return {};
    case Kind::push:
    case Kind::add_to_set: {
      if (!state.started) state.value = EjsonArray{};
      state.started = true;
      auto& array = *state.value.get_if<EjsonArray>();
      const bool there =
          accumulator.kind == Kind::add_to_set && value &&
          std::any_of(array.begin(), array.end(), [&](const Ejson& each) { return equal(each, *value); });
      if (value && !there) array.push_back(*value);
      return {};
    }
  }
  return {};
}

Ejson Group::finish(const Accumulator& accumulator, const State& state) {
  switch (accumulator.kind) {
    case Kind::count:
      return static_cast<std::int32_t>(state.count);
    case Kind::sum:
      return state.total.value();
    case Kind::avg:
      return state.count == 0 ? Ejson() : Ejson(state.total.to_double() / static_cast<double>(state.count));
    case Kind::push:
    case Kind::add_to_set:
      return state.started ? state.value : Ejson(EjsonArray{});
    default:
      return state.value;
  }
}

Result<std::vector<EjsonDocument>> Group::run(const std::vector<EjsonDocument>& documents) const {
  std::map<Ejson, std::size_t, Less> places;
  std::vector<Ejson> ids;
  std::vector<std::vector<State>> states;
  for (const EjsonDocument& document : documents) {
    auto id = id_.evaluate(document);
    if (!id) return id.error();
    const Ejson key = id->value_or(Ejson());
    const auto [place, is_new] = places.emplace(key, states.size());
    if (is_new) {
      ids.push_back(key);
      states.emplace_back(accumulators_.size());
    }
    for (std::size_t i = 0; i < accumulators_.size(); ++i) {
      auto value = accumulators_[i].expression.evaluate(document);
      if (!value) return value.error();
      const auto taken = take(accumulators_[i], states[place->second][i], *value);
      if (!taken) return taken.error();
    }
  }
  std::vector<EjsonDocument> groups;
  for (std::size_t g = 0; g < states.size(); ++g) {
    EjsonDocument group{{"_id", ids[g]}};
    for (std::size_t i = 0; i < accumulators_.size(); ++i)
      group.set(accumulators_[i].name, finish(accumulators_[i], states[g][i]));
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace keyturn::server::documents

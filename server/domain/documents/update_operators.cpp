// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"
#include "server/domain/documents/timestamps.hpp"
#include "server/domain/documents/update_plan.hpp"

namespace keyturn::server::documents {
namespace {

using Outcome = Result<std::optional<Ejson>>;

Outcome with(Ejson value) { return std::optional<Ejson>(std::move(value)); }

Outcome arithmetic(const UpdateStep& step, const Ejson* value) {
  const bool adding = step.kind == UpdateStep::Kind::inc;
  const char* name = adding ? "$inc" : "$mul";
  if (value == nullptr && adding) return with(step.operand);
  const Ejson zero(std::int32_t{0});
  const Ejson& current = value == nullptr ? zero : *value;
  if (!is_number(current))
    return refused(std::string("Cannot apply ") + name + " to a value of non-numeric type");
  auto result = calculate(adding ? Arithmetic::sum : Arithmetic::product, current, step.operand);
  if (result) return with(std::move(*result));
  const bool decimal =
      current.get_if<Decimal128>() != nullptr || step.operand.get_if<Decimal128>() != nullptr;
  return decimal ? outside_the_subset(std::string(name) + " of a Decimal128")
                 : refused(std::string("Failed to apply ") + name + ": the integer overflows");
}

void sort_array(EjsonArray& array, const PushPlan& plan) {
  if (plan.sort_values != 0) {
    std::stable_sort(array.begin(), array.end(), [&](const Ejson& a, const Ejson& b) {
      const auto order = compare(a, b);
      return plan.sort_values > 0 ? order < 0 : order > 0;
    });
  } else if (plan.sort_documents) {
    plan.sort_documents->apply_to_elements(array);
  }
}

void slice_array(EjsonArray& array, std::int64_t slice) {
  const auto size = static_cast<std::int64_t>(array.size());
  if (slice >= 0 && slice < size) array.resize(static_cast<std::size_t>(slice));
  if (slice < 0 && -slice < size) array.erase(array.begin(), array.end() + slice);
}

Result<EjsonArray> current_array(const Ejson* value, const char* name) {
  if (value == nullptr) return EjsonArray{};
  const auto* array = value->get_if<EjsonArray>();
  if (array == nullptr) return refused(std::string(name) + " needs an array field");
  return *array;
}

Outcome push(const UpdateStep& step, const Ejson* value) {
  auto array = current_array(value, "$push");
  if (!array) return array.error();
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t wanted = step.push.position.value_or(size);
  const std::int64_t at = std::clamp<std::int64_t>(wanted < 0 ? size + wanted : wanted, 0, size);
  array->insert(array->begin() + at, step.push.values.begin(), step.push.values.end());
  sort_array(*array, step.push);
  if (step.push.slice) slice_array(*array, *step.push.slice);
  return with(std::move(*array));
}

Outcome add_to_set(const UpdateStep& step, const Ejson* value) {
  auto array = current_array(value, "$addToSet");
  if (!array) return array.error();
  for (const Ejson& candidate : step.push.values) {
    const bool there =
        std::any_of(array->begin(), array->end(), [&](const Ejson& each) { return equal(each, candidate); });
    if (!there) array->push_back(candidate);
  }
  return with(std::move(*array));
}

Outcome pull(const UpdateStep& step, const Ejson* value) {
  if (value == nullptr) return std::optional<Ejson>();
  auto array = current_array(value, "$pull");
  if (!array) return array.error();
  std::erase_if(*array, [&](const Ejson& element) {
    if (!step.pull_filter) return equal(element, step.operand);
    if (step.pull_wrapped) return step.pull_filter->matches(EjsonDocument{{"", element}});
    const auto* document = element.get_if<EjsonDocument>();
    return document != nullptr && step.pull_filter->matches(*document);
  });
  return with(std::move(*array));
}

Outcome pop(const UpdateStep& step, const Ejson* value) {
  if (value == nullptr) return std::optional<Ejson>();
  auto array = current_array(value, "$pop");
  if (!array) return array.error();
  if (!array->empty()) array->erase(*step.operand.to_int64() > 0 ? array->end() - 1 : array->begin());
  return with(std::move(*array));
}

}  // namespace

Outcome apply_step(const UpdateStep& step, const Ejson* value, WallTime now) {
  switch (step.kind) {
    case UpdateStep::Kind::set:
    case UpdateStep::Kind::set_on_insert:
      return with(step.operand);
    case UpdateStep::Kind::unset:
      return std::optional<Ejson>();
    case UpdateStep::Kind::inc:
    case UpdateStep::Kind::mul:
      return arithmetic(step, value);
    case UpdateStep::Kind::min:
    case UpdateStep::Kind::max: {
      if (value == nullptr) return with(step.operand);
      const auto order = compare(step.operand, *value);
      const bool replace = step.kind == UpdateStep::Kind::min ? order < 0 : order > 0;
      return with(replace ? step.operand : *value);
    }
    case UpdateStep::Kind::current_date: {
      const auto since = now.time_since_epoch();
      if (step.operand.get_if<BsonTimestamp>() == nullptr) {
        return with(BsonDate{std::chrono::duration_cast<std::chrono::milliseconds>(since).count()});
      }
      return with(timestamp_of(now));
    }
    case UpdateStep::Kind::push:
      return push(step, value);
    case UpdateStep::Kind::add_to_set:
      return add_to_set(step, value);
    case UpdateStep::Kind::pull:
      return pull(step, value);
    case UpdateStep::Kind::pop:
      return pop(step, value);
    case UpdateStep::Kind::rename:
      break;  // two paths: carried out by Update::apply
  }
  return refused("an unknown step");
}

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/update.hpp"

#include "core/ejson/bson.hpp"
#include "server/domain/documents/order.hpp"
#include "server/domain/documents/refusals.hpp"
#include "server/domain/documents/timestamps.hpp"
#include "server/domain/documents/update_places.hpp"
#include "server/domain/documents/update_plan.hpp"

namespace keyturn::server::documents {
namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kMaxPadding =
    1'500'000;  // elements that `a.N` may have to fill in; MongoDB's own limit

// One step on its way to its place.
struct Visit {
  const UpdateStep& step;
  const Path& place;
  WallTime now;
};

Result<void> visit_document(EjsonDocument& document, std::size_t depth, const Visit& visit);
Result<void> visit_array(EjsonArray& array, std::size_t depth, const Visit& visit);

bool creates(UpdateStep::Kind kind) {
  return kind != UpdateStep::Kind::unset && kind != UpdateStep::Kind::pull && kind != UpdateStep::Kind::pop;
}

Result<void> descend(Ejson& value, std::size_t depth, const Visit& visit) {
  if (auto* document = value.get_if<EjsonDocument>()) return visit_document(*document, depth, visit);
  if (auto* array = value.get_if<EjsonArray>()) return visit_array(*array, depth, visit);
  if (!creates(visit.step.kind)) return {};
  return refused("Cannot create field '" + visit.place.parts()[depth] +
                 "' in an element that is no document");
}

Result<void> visit_document(EjsonDocument& document, std::size_t depth, const Visit& visit) {
  const std::string& name = visit.place.parts()[depth];
  Ejson* member = document.find(name);
  if (depth + 1 < visit.place.parts().size()) {
    if (member == nullptr) {
      if (!creates(visit.step.kind)) return {};
      member = &document.set(name, EjsonDocument{});
    }
    return descend(*member, depth + 1, visit);
  }
  auto outcome = apply_step(visit.step, member, visit.now);
  if (!outcome) return outcome.error();
  if (*outcome) {
    document.set(name, std::move(**outcome));
  } else {
    document.erase(name);
  }
  return {};
}

Result<void> visit_element(EjsonArray& array, std::size_t index, std::size_t depth, const Visit& visit) {
  const bool last = depth + 1 == visit.place.parts().size();
  if (index >= array.size()) {
    if (!creates(visit.step.kind)) return {};
    if (index - array.size() > kMaxPadding) return refused("can't backfill array that far");
    array.resize(index + 1);
    if (!last) array[index] = EjsonDocument{};
    if (last) {
      auto outcome = apply_step(visit.step, nullptr, visit.now);
      if (!outcome) return outcome.error();
      if (*outcome) array[index] = std::move(**outcome);
      return {};
    }
  }
  if (!last) return descend(array[index], depth + 1, visit);
  auto outcome = apply_step(visit.step, &array[index], visit.now);
  if (!outcome) return outcome.error();
  array[index] =
      *outcome ? std::move(**outcome) : Ejson();  // $unset of an element leaves null, as MongoDB does
  return {};
}

Result<void> visit_array(EjsonArray& array, std::size_t depth, const Visit& visit) {
  const std::string& part = visit.place.parts()[depth];
  if (const auto index = array_index(part)) return visit_element(array, *index, depth, visit);
  if (!creates(visit.step.kind)) return {};
  return refused("Cannot create field '" + part + "' in an array");
}

// Whether the path of a member runs into an array.
bool passes_array(const EjsonDocument& document, const Path& path) {
  const EjsonDocument* at = &document;
  for (std::size_t i = 0; at != nullptr && i + 1 < path.parts().size(); ++i) {
    const Ejson* value = at->find(path.parts()[i]);
    if (value == nullptr) return false;
    if (value->get_if<EjsonArray>() != nullptr) return true;
    at = value->get_if<EjsonDocument>();
  }
  return false;
}

// Moves a member; both paths may pass through documents only.
Result<void> rename(EjsonDocument& document, const UpdateStep& step, const Path& target, WallTime now) {
  if (passes_array(document, step.path))
    return refused("The source field cannot be an array element, '" + dotted(step.path) + "'");
  if (passes_array(document, target))
    return refused("The destination field cannot be an array element, '" + dotted(target) + "'");
  const Ejson* found = find_plain(document, step.path);
  if (found == nullptr) return {};
  UpdateStep add;
  add.operand = *found;
  UpdateStep remove;
  remove.kind = UpdateStep::Kind::unset;
  const auto removed = visit_document(document, 0, Visit{remove, step.path, now});
  return removed ? visit_document(document, 0, Visit{add, target, now}) : removed;
}

Result<EjsonDocument> checked(EjsonDocument after, const EjsonDocument& before) {
  const Ejson* old_id = before.find("_id");
  const Ejson* new_id = after.find("_id");
  if (old_id != nullptr && (new_id == nullptr || !equal(*old_id, *new_id))) {
    return refused("Performing an update on the path '_id' would modify the immutable field '_id'");
  }
  const auto bytes = ejson::to_bson(after);
  if (!bytes) return refused("the updated document is not valid");
  if (bytes->size() > kMaxDocumentBytes)
    return refused("Resulting document after update is larger than 16777216");
  return after;
}

}  // namespace

Update::Update(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}

bool Update::is_replacement() const { return plan_->replacement.has_value(); }

Result<EjsonDocument> Update::apply(const EjsonDocument& before, const Filter::Match& match, WallTime now,
                                    bool inserting) const {
  if (plan_->replacement) {
    EjsonDocument after;
    const Ejson* id = before.find("_id");
    if (id != nullptr) after.set("_id", *id);
    for (const auto& [name, value] : *plan_->replacement) {
      if (name == "_id" && id != nullptr && !equal(value, *id)) {
        return refused("The _id field cannot be changed by a replacement");
      }
      if (name != "_id" || id == nullptr) after.set(name, value);
    }
    fill_timestamps(after, now);
    return checked(std::move(after), before);
  }
  const auto placed = place_steps(*plan_, before, match);
  if (!placed) return placed.error();
  EjsonDocument after = before;
  for (const auto& [step, place] : *placed) {
    if (step->kind == UpdateStep::Kind::set_on_insert && !inserting) continue;
    const auto done = step->kind == UpdateStep::Kind::rename ? rename(after, *step, place, now)
                                                             : visit_document(after, 0, {*step, place, now});
    if (!done) return done.error();
  }
  return checked(std::move(after), before);
}

}  // namespace keyturn::server::documents

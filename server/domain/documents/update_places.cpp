// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/update_places.hpp"

#include <algorithm>
#include <compare>
#include <utility>

#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

using Parts = std::vector<std::string>;

std::string dotted_start(const Parts& parts, std::size_t count) {
  return dotted(Path::of_parts(Parts(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count))));
}

// By their bytes, but numbers by value: without leading zeros the longer is the greater. What only begins
// like a number is taken for one, so that the order is one.
bool comes_before(const std::string& a, const std::string& b) {
  const auto is_like_a_number = [](const std::string& part) {
    return !part.empty() && part[0] >= '0' && part[0] <= '9' && (part.size() == 1 || part[0] != '0');
  };
  if (is_like_a_number(a) && is_like_a_number(b) && a.size() != b.size()) return a.size() < b.size();
  return a < b;
}

bool place_comes_before(const PlacedStep& a, const PlacedStep& b) {
  const Parts& x = a.place.parts();
  const Parts& y = b.place.parts();
  return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), comes_before);
}

bool leads_to(const Path& a, const Path& b) {
  return a.parts().size() <= b.parts().size() &&
         std::equal(a.parts().begin(), a.parts().end(), b.parts().begin());
}

const Ejson* child_of(const Ejson* value, const std::string& name) {
  if (value == nullptr) return nullptr;
  if (const auto* document = value->get_if<EjsonDocument>()) return document->find(name);
  const auto* array = value->get_if<EjsonArray>();
  const auto index = array_index(name);
  return array != nullptr && index && *index < array->size() ? &(*array)[*index] : nullptr;
}

/// Follows the path of one step, and at `$[]` each branch of it.
class Placement {
 public:
  Placement(const Update::Plan& plan, const UpdateStep& step, const Filter::Match& match,
            std::vector<PlacedStep>& placed)
      : plan_(plan), step_(step), match_(match), placed_(placed) {}

  /// The first part is a name.
  Result<void> follow(const EjsonDocument& document) {
    const std::string& name = step_.path.parts().front();
    return enter(document.find(name), name);
  }

 private:
  Result<void> follow(const Ejson* value) {
    const Parts& parts = step_.path.parts();
    if (place_.size() == parts.size()) {
      placed_.push_back({&step_, Path::of_parts(place_)});
      return {};
    }
    const std::string& part = parts[place_.size()];
    if (const auto identifier = array_identifier(part)) return follow_elements(value, *identifier);
    if (part != "$") return enter(child_of(value, part), part);
    if (!match_.array_index)
      return refused("The positional operator did not find the match needed from the query.");
    const std::string index = std::to_string(*match_.array_index);
    return enter(child_of(value, index), index);
  }

  Result<void> enter(const Ejson* value, const std::string& name) {
    place_.push_back(name);
    auto done = follow(value);
    place_.pop_back();
    return done;
  }

  Result<void> follow_elements(const Ejson* value, const std::string& identifier) {
    const std::string here = dotted(Path::of_parts(place_));
    if (value == nullptr)
      return refused("The path '" + here + "' must exist in the document in order to apply array updates.");
    const auto* array = value->get_if<EjsonArray>();
    if (array == nullptr) return refused("Cannot apply array updates to non-array element '" + here + "'");
    const auto filter = plan_.array_filters.find(identifier);
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!identifier.empty() && !filter->second.matches(EjsonDocument{{identifier, (*array)[i]}})) continue;
      if (auto done = enter(&(*array)[i], std::to_string(i)); !done) return done;
    }
    return {};
  }

  const Update::Plan& plan_;
  const UpdateStep& step_;
  const Filter::Match& match_;
  std::vector<PlacedStep>& placed_;
  Parts place_;
};

}  // namespace

std::optional<std::string> array_identifier(std::string_view part) {
  if (!part.starts_with("$[") || !part.ends_with(']')) return std::nullopt;
  return std::string(part.substr(2, part.size() - 3));
}

std::optional<std::string> conflict_of(const Path& a, const Path& b) {
  const Parts& x = a.parts();
  const Parts& y = b.parts();
  const std::size_t most = std::min(x.size(), y.size());
  const auto parting = static_cast<std::size_t>(
      std::mismatch(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(most), y.begin()).first - x.begin());
  const bool agree =
      parting < most && array_identifier(x[parting]).has_value() == array_identifier(y[parting]).has_value();
  if (agree) return std::nullopt;
  return dotted_start(x, parting);
}

Result<std::vector<PlacedStep>> place_steps(const Update::Plan& plan, const EjsonDocument& document,
                                            const Filter::Match& match) {
  std::vector<PlacedStep> placed;
  for (const UpdateStep& step : plan.steps) {
    if (step.kind == UpdateStep::Kind::rename) {
      placed.push_back({&step, Path(*step.operand.get_if<std::string>())});
      continue;
    }
    if (auto done = Placement(plan, step, match, placed).follow(document); !done) return done.error();
  }
  std::stable_sort(placed.begin(), placed.end(), place_comes_before);
  // In this order whatever a place leads to comes right behind it.
  for (std::size_t i = 1; i < placed.size(); ++i) {
    const Path& above = placed[i - 1].place;
    if (leads_to(above, placed[i].place))
      return refused("Update created a conflict at '" + dotted(above) + "'");
  }
  return placed;
}

}  // namespace keyturn::server::documents

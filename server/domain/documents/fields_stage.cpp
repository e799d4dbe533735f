// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/fields_stage.hpp"

#include <optional>

#include "server/domain/documents/path.hpp"
#include "server/domain/documents/refusals.hpp"

namespace keyturn::server::documents {
namespace {

// A computed member at a path, as $addFields puts it: into each element of an array on the way, and in place
// of what is neither a document nor an array. Nothing: only the documents on the way come into being.
void compute_path(EjsonDocument& document, const Path& path, std::size_t depth,
                  const std::optional<Ejson>& value);

void compute_in(Ejson& place, const Path& path, std::size_t depth, const std::optional<Ejson>& value) {
  if (auto* array = place.get_if<EjsonArray>()) {
    for (Ejson& element : *array) compute_in(element, path, depth, value);
    return;
  }
  if (place.get_if<EjsonDocument>() == nullptr) place = EjsonDocument{};
  compute_path(*place.get_if<EjsonDocument>(), path, depth, value);
}

void compute_path(EjsonDocument& document, const Path& path, std::size_t depth,
                  const std::optional<Ejson>& value) {
  const std::string& name = path.parts()[depth];
  if (depth + 1 == path.parts().size()) {
    if (value) {
      document.set(name, *value);
    } else {
      document.erase(name);
    }
    return;
  }
  Ejson* child = document.find(name);
  compute_in(child == nullptr ? document.set(name, EjsonDocument{}) : *child, path, depth + 1, value);
}

// Nested documents name paths, unless they are expressions: {a: {b: 1}} says what {"a.b": 1} says.
Result<void> flatten(const EjsonDocument& specification, const std::string& prefix, EjsonDocument& out) {
  constexpr std::size_t kLongestPath = 2'000;
  for (const auto& [name, value] : specification) {
    if (name.empty() || name.starts_with('$'))
      return refused("'" + name + "' is not a valid field name here");
    const std::string path = prefix + name;
    if (path.size() > kLongestPath) return refused("a field path is too long");
    const Path checked(path);
    for (const std::string& part : checked.parts()) {
      if (part.empty()) return refused("FieldPath field names may not be empty strings: '" + path + "'");
    }
    const auto* members = value.get_if<EjsonDocument>();
    if (members != nullptr && members->empty())
      return refused("An empty sub-projection is not a valid value");
    if (members != nullptr && !members->begin()->first.starts_with('$')) {
      if (auto nested = flatten(*members, path + ".", out); !nested) return nested;
      continue;
    }
    for (const auto& other : out) {
      const bool collides =
          other.first == path || other.first.starts_with(path + ".") || path.starts_with(other.first + ".");
      if (collides) return refused("Invalid specification: Path collision at " + path);
    }
    out.append(path, value);
  }
  return {};
}

Result<EjsonDocument> flat(const EjsonDocument& specification) {
  EjsonDocument out;
  if (auto done = flatten(specification, "", out); !done) return done.error();
  return out;
}

bool is_zero(const Ejson& value) { return value == Ejson(false) || value.to_double() == 0.0; }

}  // namespace

Result<AddFields> AddFields::of_paths(const EjsonDocument& paths) {
  AddFields stage;
  for (const auto& [path, value] : paths) {
    auto expression = Expression::compile(value);
    if (!expression) return expression.error();
    stage.fields_.emplace_back(path, std::move(*expression));
  }
  return stage;
}

Result<AddFields> AddFields::compile(const EjsonDocument& specification) {
  if (specification.empty()) return refused("specification must have at least one field");
  auto paths = flat(specification);
  if (!paths) return paths.error();
  return of_paths(*paths);
}

Result<void> AddFields::apply(const EjsonDocument& source, EjsonDocument& target) const {
  for (const auto& [path, expression] : fields_) {
    auto value = expression.evaluate(source);
    if (!value) return value.error();
    compute_path(target, Path(path), 0, *value);
  }
  return {};
}

Result<ProjectFields> ProjectFields::compile(const EjsonDocument& nested) {
  auto flattened = flat(nested);
  if (!flattened) return flattened.error();
  const EjsonDocument& specification = *flattened;
  if (specification.empty()) return refused("specification must have at least one field");
  EjsonDocument plain;
  EjsonDocument computed;
  bool excludes = false;
  for (const auto& [name, value] : specification) {
    const bool flag = value.get_if<bool>() != nullptr || value.to_double().has_value();
    (flag ? plain : computed).set(name, value);
    excludes = excludes || (flag && name != "_id" && is_zero(value));
  }
  if (excludes && !computed.empty())
    return refused("Invalid $project: a computed field in an exclusion projection");
  std::vector<std::string> paths;
  for (const auto& member : computed) paths.push_back(member.first);
  auto projection = Projection::compile(plain, paths);
  if (!projection) return projection.error();
  auto fields = AddFields::of_paths(computed);
  if (!fields) return fields.error();
  return ProjectFields(std::move(*projection), std::move(*fields));
}

Result<EjsonDocument> ProjectFields::apply(const EjsonDocument& document) const {
  EjsonDocument shaped = plain_.apply(document);
  if (auto done = computed_.apply(document, shaped); !done) return done.error();
  return shaped;
}

}  // namespace keyturn::server::documents

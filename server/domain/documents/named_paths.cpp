// SPDX-License-Identifier: Apache-2.0
#include "server/domain/documents/named_paths.hpp"

#include <algorithm>
#include <string>

namespace keyturn::server::documents {
namespace {

void add_operator(const std::string& name, const EjsonDocument& members, std::vector<Path>& paths) {
  for (const auto& [path, operand] : members) {
    if (name == "$setOnInsert" && path.find('$') == std::string::npos) continue;
    paths.emplace_back(path);
    const auto* target = name == "$rename" ? operand.get_if<std::string>() : nullptr;
    if (target != nullptr) paths.emplace_back(*target);
  }
}

// As far as the path leads through documents; an array, and what lies in it, counts as a whole.
bool same_along(const Ejson* a, const Ejson* b, const Path& path, std::size_t depth) {
  if (a == nullptr || b == nullptr) return a == b;
  const auto* in_a = a->get_if<EjsonDocument>();
  const auto* in_b = b->get_if<EjsonDocument>();
  if (depth == path.parts().size() || in_a == nullptr || in_b == nullptr) return *a == *b;
  return same_along(in_a->find(path.parts()[depth]), in_b->find(path.parts()[depth]), path, depth + 1);
}

}  // namespace

std::vector<Path> named_paths(const Ejson& update, const EjsonDocument& before) {
  std::vector<Path> paths;
  const auto* document = update.get_if<EjsonDocument>();
  if (document == nullptr) return paths;
  const bool replaces = document->empty() || !document->begin()->first.starts_with('$');
  for (const auto& [name, operand] : *document) {
    const auto* members = operand.get_if<EjsonDocument>();
    if (replaces) {
      paths.push_back(Path::of_parts({name}));
    } else if (members != nullptr) {
      add_operator(name, *members, paths);
    }
  }
  if (!replaces) return paths;
  for (const auto& member : before) {
    if (member.first != "_id" && !document->contains(member.first))
      paths.push_back(Path::of_parts({member.first}));
  }
  return paths;
}

bool same_at(const EjsonDocument& a, const EjsonDocument& b, const std::vector<Path>& paths) {
  return std::all_of(paths.begin(), paths.end(), [&](const Path& path) {
    return same_along(a.find(path.parts().front()), b.find(path.parts().front()), path, 1);
  });
}

}  // namespace keyturn::server::documents

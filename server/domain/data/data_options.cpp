// SPDX-License-Identifier: Apache-2.0
#include "server/domain/data/data_options.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "server/domain/documents/refusals.hpp"

namespace keyturn::server {
namespace {

using Names = std::vector<std::string_view>;

const std::map<std::string_view, Names>& known_options() {
  static const Names kFind{"query", "filter", "project", "projection", "sort", "limit", "skip"};
  static const Names kModify{"query",      "filter", "update", "replacement",  "project",
                             "projection", "sort",   "upsert", "arrayFilters", "returnNewDocument"};
  static const Names kUpdate{"query", "filter", "update", "upsert", "arrayFilters"};
  static const Names kDelete{"query", "filter"};
  static const std::map<std::string_view, Names> kKnown{
      {"find", kFind},
      {"findOne", kFind},
      {"findOneAndUpdate", kModify},
      {"findOneAndReplace", kModify},
      {"findOneAndDelete", kModify},
      {"aggregate", {"pipeline"}},
      {"count", {"query", "filter", "limit", "skip"}},
      {"distinct", {"field", "key", "query", "filter"}},
      {"insertOne", {"document"}},
      {"insertMany", {"documents", "ordered"}},
      {"deleteOne", kDelete},
      {"deleteMany", kDelete},
      {"updateOne", kUpdate},
      {"updateMany", kUpdate},
      {"replaceOne", {"query", "filter", "replacement", "upsert"}},
      {"bulkWrite", {"operations"}},
  };
  return kKnown;
}

/// How a database goes about it, not what it answers.
bool is_about_the_way(std::string_view name) {
  static const Names kWays{
      "database",           "collection",      "comment", "maxTimeMS",   "hint",           "batchSize",
      "allowDiskUse",       "noCursorTimeout", "cursor",  "readConcern", "readPreference", "writeConcern",
      "allowPartialResults"};
  return std::find(kWays.begin(), kWays.end(), name) != kWays.end();
}

}  // namespace

Result<void> check_data_options(std::string_view action, const EjsonDocument& arguments) {
  const auto known = known_options().find(action);
  if (known == known_options().end()) return {};
  for (const auto& [name, value] : arguments) {
    const bool is_absent = value.is_null() || value.get_if<BsonUndefined>() != nullptr;
    if (is_absent || is_about_the_way(name)) continue;
    const Names& names = known->second;
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (name == "ordered" && value == Ejson(true)) continue;
    if (name == "ordered") return documents::outside_the_subset("the option ordered: false");
    return documents::outside_the_subset("the option " + name + " of " + std::string(action));
  }
  return {};
}

}  // namespace keyturn::server

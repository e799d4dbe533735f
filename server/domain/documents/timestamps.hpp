// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <keyturn/base/clock.hpp>
#include <keyturn/ejson.hpp>

namespace keyturn::server::documents {

[[nodiscard]] inline BsonTimestamp timestamp_of(WallTime now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return {static_cast<std::uint32_t>(seconds.count()), 1};
}

/// In a document that is inserted or replaces another, Timestamp(0, 0) stands for the current time, but for
/// the `_id` and in nested documents.
inline void fill_timestamps(EjsonDocument& document, WallTime now) {
  std::vector<std::string> empty;
  for (const auto& [name, value] : document) {
    if (name != "_id" && value == Ejson(BsonTimestamp{})) empty.push_back(name);
  }
  for (const std::string& name : empty) document.set(name, timestamp_of(now));
}

}  // namespace keyturn::server::documents

// SPDX-License-Identifier: Apache-2.0
// Any bytes as JSON: nothing crashes, the bounds hold, and what was read comes back from what is written.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json/json.hpp"

namespace {

using namespace keyturn;

void require(bool holds) {
  if (!holds) std::abort();
}

int depth_of(const json::Value& value) {
  int deepest = 0;
  if (const json::Array* const array = value.as_array()) {
    for (const json::Value& item : *array) deepest = std::max(deepest, depth_of(item));
    return deepest + 1;
  }
  if (const json::Object* const object = value.as_object()) {
    for (const auto& [name, member] : *object) {
      require(object->find(name) == &member);  // names are unique
      deepest = std::max(deepest, depth_of(member));
    }
    return deepest + 1;
  }
  if (const double* const number = value.as_double()) require(std::isfinite(*number));
  return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  json::Limits limits;
  limits.max_bytes = 4096;
  for (const auto rule : {json::DuplicateNames::refuse, json::DuplicateNames::last_wins}) {
    limits.duplicates = rule;
    const auto value = json::parse(bytes, limits);
    if (!value) continue;
    require(size <= limits.max_bytes && depth_of(*value) <= limits.max_depth);
    const std::string text = json::write(*value);
    json::Limits wide;
    wide.max_bytes = std::size_t{1} << 20;
    const auto again = json::parse(text, wide);
    require(again.has_value() && *again == *value && json::write(*again) == text);
  }
  std::string quoted;
  json::append_quoted(quoted, bytes);
  json::Limits wide;
  wide.max_bytes = std::size_t{1} << 26;
  require(json::parse(quoted, wide).has_value());
  return 0;
}

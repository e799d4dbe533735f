// SPDX-License-Identifier: Apache-2.0
// Any bytes as BSON: nothing crashes, and what has been written once survives being read and written again.
// (The first writing puts the options of a regular expression in order and leaves out those that BSON does
// not know.)
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/ejson/bson.hpp"

namespace {

std::string must_write(const keyturn::EjsonDocument& document) {
  auto bytes = keyturn::ejson::to_bson(document);
  if (!bytes) std::abort();
  return *std::move(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document =
      keyturn::ejson::from_bson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!document) return 0;
  const std::string bytes = must_write(*document);
  const auto again = keyturn::ejson::from_bson(bytes);
  if (!again || must_write(*again) != bytes) std::abort();
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any bytes as Extended JSON: nothing crashes, and the canonical text means the same value.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <keyturn/ejson.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = keyturn::Ejson::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value) return 0;
  // Compared as text: NaN is no equal of itself.
  const std::string canonical = value->to_canonical();
  const auto again = keyturn::Ejson::parse(canonical);
  if (!again || again->to_canonical() != canonical) std::abort();
  if (!keyturn::Ejson::parse(value->to_relaxed())) std::abort();
  return 0;
}

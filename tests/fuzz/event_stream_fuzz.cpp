// SPDX-License-Identifier: Apache-2.0
// The bytes of a watch, in pieces of any size: the same events whatever the pieces are, and none above the
// bound.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sdk/transport/event_parser.hpp"

namespace {

using namespace keyturn;

constexpr std::size_t kBound = 256;

/// All events in one text, and whether the parser gave up.
std::string told(std::string_view bytes, std::size_t piece) {
  sdk::EventParser parser(kBound);
  std::string out;
  while (!bytes.empty()) {
    const auto fed = parser.feed(bytes.substr(0, piece), [&out](const sdk::ServerEvent& event) {
      if (event.data.size() > kBound || event.name.size() > kBound) std::abort();
      out += event.name + '\x1f' + event.data + '\x1e';
    });
    if (!fed) return out + "!";
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = told(bytes, bytes.size());
  if (told(bytes, 1) != whole || told(bytes, 1U + data[0] % 16U) != whole) std::abort();
  return 0;
}

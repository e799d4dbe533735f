// SPDX-License-Identifier: Apache-2.0
// Any bytes as the head of a request: nothing crashes, the bounds hold, and the verdict is the same however
// the bytes were cut into pieces on the way.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/http/request_head.hpp"

namespace {

using keyturn::server::http::HeadLimits;
using keyturn::server::http::HeadParser;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{1} + data[0] % 64;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  HeadLimits limits;
  limits.request_line = 256;
  limits.header_line = 128;
  limits.headers = 512;
  limits.header_count = 10;

  HeadParser whole(limits);
  const auto state = whole.parse(bytes);

  HeadParser cut(limits);
  auto cut_state = HeadParser::State::need_more;
  for (std::size_t end = 0; end < bytes.size() && cut_state == HeadParser::State::need_more;) {
    end = std::min(bytes.size(), end + piece);
    cut_state = cut.parse(bytes.substr(0, end));
  }
  require(cut_state == state);
  if (state == HeadParser::State::refused) {
    const int status = whole.status();
    require(status >= 400 && status < 600 && cut.status() == status);
  } else if (state == HeadParser::State::done) {
    const auto& request = whole.head().request;
    require(whole.consumed() <= bytes.size() && cut.consumed() == whole.consumed());
    require(request.headers.size() <= limits.header_count && request.headers == cut.head().request.headers);
    require(request.url == cut.head().request.url && request.method == cut.head().request.method);
    for (const auto& [name, value] : request.headers) {
      require(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    }
  }
  return 0;
}

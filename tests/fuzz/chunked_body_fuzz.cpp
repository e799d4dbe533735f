// SPDX-License-Identifier: Apache-2.0
// Any bytes as a chunked body: nothing crashes, the bound holds, and the result is the same in one piece and
// byte by byte.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/http/chunked_body.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using keyturn::server::http::ChunkedBody;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kMaxBody = 512;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };

  ChunkedBody whole(kMaxBody);
  std::string body;
  std::size_t used = 0;
  const auto state = whole.take(bytes, body, used);
  require(used <= bytes.size() && body.size() <= kMaxBody);

  ChunkedBody cut(kMaxBody);
  std::string cut_body;
  auto cut_state = ChunkedBody::State::need_more;
  for (std::size_t i = 0; i < bytes.size() && cut_state == ChunkedBody::State::need_more; ++i) {
    std::size_t taken = 0;
    cut_state = cut.take(bytes.substr(i, 1), cut_body, taken);
    require(taken <= 1);
  }
  require(cut_state == state);
  if (state == ChunkedBody::State::done) require(cut_body == body);
  return 0;
}

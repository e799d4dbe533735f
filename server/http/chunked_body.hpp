// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keyturn::server::http {

/// Reads a chunked body (RFC 9112 section 7.1), strictly (rule V17): line ends are CR LF, sizes are 1 to 15
/// hexadecimal digits. Extensions and trailers are passed over within limits. No I/O.
///
/// Thread safety: none needed; one per request.
class ChunkedBody {
 public:
  enum class State { need_more, done, invalid, too_large };

  explicit ChunkedBody(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  /// Takes what it can from `bytes`, appends data to `body`, and says in `used` how much it took.
  State take(std::string_view bytes, std::string& body, std::size_t& used);

 private:
  enum class Part {
    size,
    size_digits,
    extension,
    size_end,
    data,
    data_end_cr,
    data_end_lf,
    trailer_start,
    trailer,
    trailer_end,
    last_end
  };
  State step(char c);

  std::size_t max_body_bytes_;
  std::size_t body_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::size_t digits_ = 0;
  std::size_t line_bytes_ = 0;
  Part part_ = Part::size;
};

}  // namespace keyturn::server::http

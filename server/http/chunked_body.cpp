// SPDX-License-Identifier: Apache-2.0
#include "server/http/chunked_body.hpp"

#include <algorithm>

namespace keyturn::server::http {
namespace {

constexpr std::size_t kMaxExtensionBytes = 256;  // per chunk: nobody sends them
constexpr std::size_t kMaxTrailerBytes = 4'096;  // of all trailer lines
constexpr std::size_t kMaxDigits = 15;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool printable(char c) noexcept { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

ChunkedBody::State ChunkedBody::take(std::string_view bytes, std::string& body, std::size_t& used) {
  used = 0;
  while (used < bytes.size()) {
    if (part_ == Part::data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size() - used));
      body.append(bytes.substr(used, size));
      used += size;
      chunk_left_ -= size;
      if (chunk_left_ == 0) part_ = Part::data_end_cr;
      continue;
    }
    const State state = step(bytes[used++]);
    if (state != State::need_more) return state;
  }
  return State::need_more;
}

ChunkedBody::State ChunkedBody::step(char c) {
  switch (part_) {
    case Part::size:
    case Part::size_digits: {
      const int digit = hex_digit(c);
      if (digit >= 0) {
        if (++digits_ > kMaxDigits) return State::invalid;
        chunk_left_ = chunk_left_ * 16 + static_cast<unsigned>(digit);
        part_ = Part::size_digits;
        return State::need_more;
      }
      if (part_ == Part::size) return State::invalid;
      line_bytes_ = 0;
      if (c == ';') {
        part_ = Part::extension;
      } else if (c == '\r') {
        part_ = Part::size_end;
      } else {
        return State::invalid;
      }
      return State::need_more;
    }
    case Part::extension:
      if (c == '\r') {
        part_ = Part::size_end;
        return State::need_more;
      }
      return printable(c) && ++line_bytes_ <= kMaxExtensionBytes ? State::need_more : State::invalid;
    case Part::size_end:
      if (c != '\n') return State::invalid;
      digits_ = 0;
      line_bytes_ = 0;
      if (chunk_left_ > max_body_bytes_ - body_bytes_) return State::too_large;
      body_bytes_ += static_cast<std::size_t>(chunk_left_);
      part_ = chunk_left_ > 0 ? Part::data : Part::trailer_start;
      return State::need_more;
    case Part::data_end_cr:
      part_ = Part::data_end_lf;
      return c == '\r' ? State::need_more : State::invalid;
    case Part::data_end_lf:
      part_ = Part::size;
      return c == '\n' ? State::need_more : State::invalid;
    case Part::trailer_start:
      if (c == '\r') {
        part_ = Part::last_end;
        return State::need_more;
      }
      if (c == ' ' || c == '\t') return State::invalid;
      part_ = Part::trailer;
      [[fallthrough]];
    case Part::trailer:
      if (c == '\r') {
        part_ = Part::trailer_end;
        return State::need_more;
      }
      return printable(c) && ++line_bytes_ <= kMaxTrailerBytes ? State::need_more : State::invalid;
    case Part::trailer_end:
      part_ = Part::trailer_start;
      return c == '\n' ? State::need_more : State::invalid;
    case Part::last_end:
      return c == '\n' ? State::done : State::invalid;
    case Part::data:
      break;
  }
  return State::invalid;
}

}  // namespace keyturn::server::http

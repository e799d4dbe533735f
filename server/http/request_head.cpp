// SPDX-License-Identifier: Apache-2.0
#include "server/http/request_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace keyturn::server::http {
namespace {

constexpr std::uint8_t kToken = 1;   // RFC 9110 section 5.6.2
constexpr std::uint8_t kTarget = 2;  // visible ASCII without `#`
constexpr std::uint8_t kValue = 4;   // RFC 9110 section 5.5, obs-text included
constexpr std::uint8_t kHost = 8;    // RFC 3986 reg-name, IP literal and port

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    std::uint8_t kinds = 0;
    if (letter_or_digit) kinds |= kToken | kHost;
    if (c > 0x20 && c < 0x7f && c != '#') kinds |= kTarget;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) kinds |= kValue;
    table[c] = kinds;
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] |= kToken;
  for (const char c : std::string_view("-._~%!$&'()*+;=:[]")) table[static_cast<unsigned char>(c)] |= kHost;
  return table;
}
constexpr auto kTable = make_table();

bool all_of_kind(std::string_view text, std::uint8_t kind) noexcept {
  for (const char c : text) {
    if ((kTable[static_cast<unsigned char>(c)] & kind) == 0) return false;
  }
  return true;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(),
                                                   [](char a, char b) { return lower(a) == lower(b); });
}

void HeadParser::reset() {
  const HeadLimits limits = limits_;
  *this = HeadParser(limits);
}

HeadParser::State HeadParser::refuse(int status, std::string_view why) {
  status_ = status;
  why_ = why;
  return State::refused;
}

HeadParser::State HeadParser::parse(std::string_view bytes) {
  if (status_ != 0) return State::refused;
  for (;;) {
    const void* found = scanned_ < bytes.size()
                            ? std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_)
                            : nullptr;
    if (found == nullptr) {
      scanned_ = bytes.size();
      return check_open_line(bytes.substr(line_start_));
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    std::string_view line = bytes.substr(line_start_, end - line_start_);
    if (check_open_line(line) == State::refused) return State::refused;
    if (line.empty() || line.back() != '\r') return refuse(400, "bare line feed in header");
    line.remove_suffix(1);
    line_start_ = scanned_ = end + 1;

    if (!has_request_line_) {
      // RFC 9112 section 2.2: one empty line left over from a body before is passed over.
      if (line.empty() && !skipped_empty_line_) {
        skipped_empty_line_ = true;
        continue;
      }
      if (!read_request_line(line)) return State::refused;
      has_request_line_ = true;
      continue;
    }
    if (line.empty()) return finish() ? State::done : State::refused;
    header_bytes_ += line.size() + 2;
    if (!read_header(line)) return State::refused;
  }
}

// Limits hold for a line that has not ended yet, so that no more than the limit is ever kept.
HeadParser::State HeadParser::check_open_line(std::string_view line) {
  if (!has_request_line_ && !line.empty() && line.front() != '\r' &&
      !all_of_kind(line.substr(0, 1), kToken)) {
    return refuse(400, "invalid request line");
  }
  std::size_t size = line.size();
  if (size > 0 && line.back() == '\r') --size;
  if (!has_request_line_) {
    return size > limits_.request_line ? refuse(431, "request line too long") : State::need_more;
  }
  if (size > limits_.header_line || header_bytes_ + size + (size > 0 ? 2 : 0) > limits_.headers) {
    return refuse(431, "header too long");
  }
  return State::need_more;
}

bool HeadParser::read_request_line(std::string_view line) {
  const auto bad = [this] { return refuse(400, "invalid request line") == State::done; };
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad();
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  if (method.empty() || method.size() > 32 || !all_of_kind(method, kToken)) return bad();
  if (version == "HTTP/1.0") {
    http_1_0_ = true;
  } else if (version != "HTTP/1.1") {
    return bad();
  }
  head_.request.method.assign(method);
  return read_target(line.substr(first + 1, last - first - 1)) || bad();
}

// RFC 9112 section 3.2. realm-cpp sends the absolute form (client-api.md 1.1).
bool HeadParser::read_target(std::string_view target) {
  if (target.empty() || !all_of_kind(target, kTarget)) return false;
  if (target.front() == '/') {
    head_.request.url.assign(target);
    return true;
  }
  if (target == "*") {
    head_.request.url.assign(target);
    return head_.request.method == "OPTIONS";
  }
  std::size_t scheme = 0;
  if (starts_with_ignoring_case(target, "http://")) scheme = 7;
  if (starts_with_ignoring_case(target, "https://")) scheme = 8;
  if (scheme == 0) return false;
  target.remove_prefix(scheme);
  const std::size_t authority = std::min(target.find_first_of("/?"), target.size());
  if (authority == 0 || !all_of_kind(target.substr(0, authority), kHost)) return false;
  target.remove_prefix(authority);
  head_.request.url.clear();
  if (target.empty() || target.front() != '/') head_.request.url.push_back('/');
  head_.request.url.append(target);
  return true;
}

bool HeadParser::read_header(std::string_view line) {
  const auto bad = [this](std::string_view why) { return refuse(400, why) == State::done; };
  if (head_.request.headers.size() == limits_.header_count)
    return refuse(431, "too many headers") == State::done;
  if (line.front() == ' ' || line.front() == '\t') return bad("folded header");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad("invalid header");
  const std::string_view name = line.substr(0, colon);
  if (!all_of_kind(name, kToken)) return bad("invalid header name");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!all_of_kind(value, kValue)) return bad("invalid header value");
  if (!note_header(name, value)) return false;
  if (head_.request.headers.empty()) head_.request.headers.reserve(8);
  head_.request.headers.emplace_back(name, value);
  return true;
}

bool HeadParser::note_header(std::string_view name, std::string_view value) {
  const auto bad = [this](std::string_view why) { return refuse(400, why) == State::done; };
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "host")) {
        if (has_host_ || !all_of_kind(value, kHost)) return bad("invalid Host");
        has_host_ = true;
      }
      return true;
    case 6:
      if (equals_ignoring_case(name, "expect")) {
        if (!equals_ignoring_case(value, "100-continue")) return bad("unknown expectation");
        head_.expects_continue = true;
      }
      return true;
    case 10:
      if (equals_ignoring_case(name, "user-agent")) {
        head_.wants_small_chunks = value == "Realm C++ SDK";
      } else if (equals_ignoring_case(name, "connection")) {
        while (!value.empty()) {
          const std::size_t comma = std::min(value.find(','), value.size());
          const std::string_view option = trimmed(value.substr(0, comma));
          says_close_ = says_close_ || equals_ignoring_case(option, "close");
          value.remove_prefix(std::min(comma + 1, value.size()));
        }
      }
      return true;
    case 13:
      if (equals_ignoring_case(name, "authorization")) {
        if (has_authorization_) return bad("Authorization given twice");
        has_authorization_ = true;
      }
      return true;
    case 14:
      if (equals_ignoring_case(name, "content-length")) {
        const bool digits =
            !value.empty() && value.size() <= 18 &&
            std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (has_length_ || !digits || (value.size() > 1 && value.front() == '0'))
          return bad("invalid Content-Length");
        has_length_ = true;
        for (const char c : value)
          head_.content_length = head_.content_length * 10 + static_cast<unsigned>(c - '0');
      }
      return true;
    case 17:
      if (equals_ignoring_case(name, "transfer-encoding")) {
        if (has_coding_ || !equals_ignoring_case(value, "chunked")) return bad("invalid Transfer-Encoding");
        has_coding_ = true;
      }
      return true;
    default:
      return true;
  }
}

bool HeadParser::finish() {
  const auto bad = [this](std::string_view why) { return refuse(400, why) == State::done; };
  if (!has_host_ && !http_1_0_) return bad("missing Host");
  if (has_coding_ && has_length_) return bad("Transfer-Encoding and Content-Length");
  if (has_coding_ && http_1_0_) return bad("Transfer-Encoding in HTTP/1.0");
  // Neither: the body is empty (RFC 9112 section 6.3, client-api.md 1.1).
  if (has_coding_) {
    head_.framing = BodyFraming::chunked;
  } else if (head_.content_length > 0) {
    head_.framing = BodyFraming::length;
  }
  head_.keep_alive = !says_close_ && !http_1_0_;
  head_.is_http_1_0 = http_1_0_;
  head_.expects_continue = head_.expects_continue && !http_1_0_;
  return true;
}

}  // namespace keyturn::server::http

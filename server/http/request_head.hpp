// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <keyturn/base/http.hpp>

namespace keyturn::server::http {

/// decisions.md "header sizes". Lines are counted without their line end, `headers` with it. The request line
/// may be as long as any other, since a watch of a browser has its access token there.
struct HeadLimits {
  std::size_t request_line = 16'384;
  std::size_t header_line = 16'384;
  std::size_t headers = 32'768;
  std::size_t header_count = 100;
};

enum class BodyFraming { none, length, chunked };

/// A request up to its blank line. `request.url` is in origin form, whatever the form it came in.
struct RequestHead {
  HttpRequest request;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
  bool is_http_1_0 = false;
  bool wants_small_chunks = false;  ///< realm-cpp's transport, which drops long bodies (client-api.md 1.2).
};

/// Reads the head of an HTTP/1.1 request, strictly: whatever two programs could read in two ways is refused,
/// nothing is repaired (rule V17; RFC 9112 sections 2.2, 3, 5, 6.1-6.3). No I/O.
///
/// Thread safety: none needed; one per connection.
class HeadParser {
 public:
  enum class State { need_more, done, refused };

  explicit HeadParser(const HeadLimits& limits) : limits_(limits) {}

  /// `bytes` holds the request from its first byte on, as far as it has come: each call is given what the
  /// calls before were given, and more. What was read is not read again.
  State parse(std::string_view bytes);

  /// After `done`: the bytes of the head, blank line included.
  [[nodiscard]] std::size_t consumed() const noexcept { return line_start_; }
  /// After `refused`: 400 or 431.
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] std::string_view why() const noexcept { return why_; }
  /// The whole after `done`, what was understood so far otherwise.
  [[nodiscard]] RequestHead& head() noexcept { return head_; }

  /// Makes ready for the next request.
  void reset();

 private:
  State refuse(int status, std::string_view why);
  [[nodiscard]] State check_open_line(std::string_view line);
  bool read_request_line(std::string_view line);
  bool read_target(std::string_view target);
  bool read_header(std::string_view line);
  bool note_header(std::string_view name, std::string_view value);
  bool finish();

  HeadLimits limits_;
  RequestHead head_;
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
  std::size_t header_bytes_ = 0;
  int status_ = 0;
  std::string_view why_;
  bool has_request_line_ = false;
  bool skipped_empty_line_ = false;
  bool http_1_0_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool has_authorization_ = false;
  bool says_close_ = false;
};

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

}  // namespace keyturn::server::http

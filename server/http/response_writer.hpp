// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <keyturn/base/clock.hpp>
#include <keyturn/base/http.hpp>

namespace keyturn::server::http {

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7, IMF-fixdate). Pure.
[[nodiscard]] std::string imf_fixdate(std::chrono::sys_seconds time);

/// The value of the `Date` header, made anew once a second. Thread safety: none needed; one per I/O thread.
class DateHeader {
 public:
  [[nodiscard]] const std::string& at(WallTime now);

 private:
  std::chrono::sys_seconds second_{std::chrono::seconds{-1}};
  std::string text_;
};

/// How a response goes on the wire.
struct ResponseForm {
  bool is_head_request = false;  ///< The length is told, the body is not sent.
  bool close = false;            ///< `Connection: close`.
  bool small_chunks = false;     ///< Bodies above 8192 bytes in chunks of at most 4 KiB (client-api.md 1.2).
  bool is_stream = false;        ///< The body follows in pieces; `write_piece` makes them.
  bool no_chunks = false;        ///< HTTP/1.0: a stream ends with the connection.
};

/// Replaces `out` by the status line and headers, and by the body unless it answers false: then
/// `response.body` is sent after `out` (so that long bodies are not copied). Adds `Date`, `Content-Length`
/// and `Connection` where they belong and takes the rest from the response; its lines that a header may not
/// have are left out. Pure.
[[nodiscard]] bool write_response(const HttpResponse& response, const ResponseForm& form,
                                  const std::string& date, std::string& out);

/// Replaces `out` by what goes on the wire for the next piece of a stream; `last`: with the end of the body.
void write_piece(std::string& out, std::string_view piece, bool last, const ResponseForm& form);

}  // namespace keyturn::server::http

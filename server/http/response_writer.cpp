// SPDX-License-Identifier: Apache-2.0
#include "server/http/response_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "server/http/request_head.hpp"

namespace keyturn::server::http {
namespace {

constexpr std::size_t kCopyLimit = std::size_t{16} * 1024;
constexpr std::size_t kSmallChunksAbove = 8'192;
constexpr std::size_t kChunk = 4'096;

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

bool is_ours(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return equals_ignoring_case(name, "date");
    case 10:
      return equals_ignoring_case(name, "connection");
    case 12:
      return false;
    case 14:
      return equals_ignoring_case(name, "content-length");
    case 17:
      return equals_ignoring_case(name, "transfer-encoding");
    default:
      return false;
  }
}

bool has_line_end(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void append_chunks(std::string& out, std::string_view body) {
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, kChunk);
    append_number(out, chunk.size(), 16);
    out += "\r\n";
    out += chunk;
    out += "\r\n";
    body.remove_prefix(chunk.size());
  }
  out += "0\r\n\r\n";
}

}  // namespace

std::string imf_fixdate(std::chrono::sys_seconds time) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                    kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                    kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

const std::string& DateHeader::at(WallTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_ || text_.empty()) {
    second_ = second;
    text_ = imf_fixdate(second);
  }
  return text_;
}

bool write_response(const HttpResponse& response, const ResponseForm& form, const std::string& date,
                    std::string& out) {
  out.clear();
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(std::clamp(response.status, 100, 599)));
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\nDate: ";
  out += date;
  out += "\r\n";
  for (const auto& [name, value] : response.headers) {
    if (is_ours(name) || has_line_end(name) || has_line_end(value)) continue;
    // An empty body has no type (client-api.md 1.2).
    if (response.body.empty() && !form.is_stream && !form.is_head_request &&
        equals_ignoring_case(name, "content-type"))
      continue;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  if (form.close) out += "Connection: close\r\n";

  const bool never_has_body = response.status < 200 || response.status == 204 || response.status == 304;
  if (never_has_body) {
    out += "\r\n";
    return true;
  }
  if (form.is_stream) {
    out += form.no_chunks ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n";
    return true;
  }
  if (form.small_chunks && response.body.size() > kSmallChunksAbove && !form.is_head_request) {
    out += "Transfer-Encoding: chunked\r\n\r\n";
    append_chunks(out, response.body);
    return true;
  }
  out += "Content-Length: ";
  append_number(out, response.body.size());
  out += "\r\n\r\n";
  if (form.is_head_request) return true;
  if (response.body.size() > kCopyLimit) return false;
  out += response.body;
  return true;
}

void write_piece(std::string& out, std::string_view piece, bool last, const ResponseForm& form) {
  out.clear();
  if (form.no_chunks) {
    out += piece;
    return;
  }
  if (!piece.empty()) {
    append_number(out, piece.size(), 16);
    out += "\r\n";
    out += piece;
    out += "\r\n";
  }
  if (last) out += "0\r\n\r\n";
}

}  // namespace keyturn::server::http

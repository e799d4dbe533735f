// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/http_uri.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace keyturn::protocol {
namespace {

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool needs_no_escape(char c) {
  return is_ascii_letter(c) || is_decimal(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
char lower_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower_letter);
  return out;
}
int value_of_hex(char c) {
  if (is_decimal(c)) return c - '0';
  const char low = lower_letter(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// Section 6.2.2.1 and 6.2.2.2: what needs no escape has none, and escapes are upper case.
std::string with_normal_escapes(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const int high = path[at] == '%' && at + 2 < path.size() ? value_of_hex(path[at + 1]) : -1;
    const int low = high >= 0 ? value_of_hex(path[at + 2]) : -1;
    if (low < 0) {
      out += path[at];
      continue;
    }
    const char byte = static_cast<char>(high * 16 + low);
    if (needs_no_escape(byte)) {
      out += byte;
    } else {
      out += '%';
      out += kHex[static_cast<std::size_t>(high)];
      out += kHex[static_cast<std::size_t>(low)];
    }
    at += 2;
  }
  return out;
}

/// Section 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = path.find('/', 1);
    const std::string_view segment = path.substr(0, end);  // with the slash before it
    path.remove_prefix(segment.size());
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") out.resize(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

}  // namespace

std::string normal_path(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  if (path.empty() || path.front() != '/') return "/" + std::string(path);
  return without_dot_segments(with_normal_escapes(path));
}

std::optional<HttpUri> normal_http_uri(std::string_view uri) {
  if (std::any_of(uri.begin(), uri.end(), [](char c) { return c <= 0x20 || c >= 0x7f || c == '\\'; }))
    return std::nullopt;
  const std::size_t colon = uri.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = lower_case(uri.substr(0, colon));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  uri.remove_prefix(colon + 3);
  const std::size_t end = uri.find_first_of("/?#");
  std::string authority = lower_case(uri.substr(0, end));
  if (authority.find('@') != std::string::npos) return std::nullopt;
  const std::size_t port_at = authority.rfind(':');
  if (port_at != std::string::npos && authority.find(']', port_at) == std::string::npos) {
    const std::string port = authority.substr(port_at + 1);
    if (!std::all_of(port.begin(), port.end(), is_decimal)) return std::nullopt;
    if (port.empty() || port == (scheme == "https" ? "443" : "80")) authority.resize(port_at);
  }
  if (authority.empty()) return std::nullopt;
  return HttpUri{scheme + "://" + authority,
                 normal_path(end == std::string_view::npos ? std::string_view() : uri.substr(end))};
}

}  // namespace keyturn::protocol

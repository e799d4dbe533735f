// SPDX-License-Identifier: Apache-2.0
#include "server/api/router.hpp"

#include <algorithm>

#include "core/protocol/routes.hpp"

namespace keyturn::server::api {
namespace {

constexpr std::size_t kMostSegments = 16;
constexpr std::string_view kAny = "{}";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte of the escape at the front of `text`, or -1.
int escaped_byte(std::string_view text) {
  if (text.size() < 3) return -1;
  const int high = hex_digit(text[1]);
  const int low = hex_digit(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool same_segment(std::string_view raw, std::string_view literal) {
  if (raw.find('%') == std::string_view::npos) return raw == literal;
  for (const char c : literal) {
    if (raw.empty()) return false;
    if (raw.front() == '%') {
      if (escaped_byte(raw) != static_cast<unsigned char>(c)) return false;
      raw.remove_prefix(3);
    } else {
      if (raw.front() != c) return false;
      raw.remove_prefix(1);
    }
  }
  return raw.empty();
}

struct Segments {
  std::array<std::string_view, kMostSegments> parts{};
  std::size_t count = 0;
  bool too_many = false;
};

/// "/a/b" has the segments "a" and "b"; "/a/" has "a" and "".
Segments split(std::string_view path) {
  Segments out;
  while (!path.empty()) {
    if (out.count == kMostSegments) {
      out.too_many = true;
      break;
    }
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    out.parts[out.count++] = path.substr(0, end);
    path.remove_prefix(end);
  }
  return out;
}

struct Place {
  Surface surface = Surface::plain;
  std::string_view rest;
};

Place place_of(std::string_view path) {
  for (const auto& [surface, prefix] :
       {Place{Surface::client, protocol::kClientPrefix}, Place{Surface::admin, protocol::kAdminPrefix},
        Place{Surface::internal, protocol::kPrivatePrefix}}) {
    const bool is_below = path.size() > prefix.size() && path[prefix.size()] == '/';
    if (is_below && path.substr(0, prefix.size()) == prefix) return {surface, path.substr(prefix.size())};
  }
  constexpr std::string_view kApps = "/app/";
  if (path.substr(0, kApps.size()) == kApps) return {Surface::endpoint, path};
  return {Surface::plain, path.substr(0, 1) == "/" ? path : std::string_view()};
}

}  // namespace

const std::vector<Router::Row>& Router::rows(Surface surface) const noexcept {
  return rows_[static_cast<std::size_t>(surface)];
}

void Router::add(Surface surface, const std::vector<Route>& routes) {
  for (const Route& route : routes) {
    const Segments parts = split(route.pattern);
    rows_[static_cast<std::size_t>(surface)].push_back(
        {route, {parts.parts.begin(), parts.parts.begin() + static_cast<std::ptrdiff_t>(parts.count)}});
  }
}

Match Router::match(std::string_view method, std::string_view path) const noexcept {
  const Place place = place_of(path);
  const Segments parts = split(place.rest);
  Match out;
  out.surface = place.surface;
  if (parts.too_many) return out;
  for (const Row& row : rows(place.surface)) {
    if (row.segments.size() != parts.count) continue;
    bool fits = true;
    std::size_t found = 0;
    std::array<std::string_view, kMostArguments> arguments{};
    for (std::size_t i = 0; fits && i < parts.count; ++i) {
      if (row.segments[i] == kAny) {
        fits = !parts.parts[i].empty();
        if (fits && found < kMostArguments) arguments[found++] = parts.parts[i];
      } else {
        fits = same_segment(parts.parts[i], row.segments[i]);
      }
    }
    if (!fits) continue;
    if (!out.path_exists) {  // also for a preflight, which has no route of its own
      out.path_exists = true;
      out.pattern = row.route.pattern;
      out.arguments = arguments;
      out.argument_count = found;
    }
    if (row.route.method != method) continue;
    out.route = &row.route;
    out.pattern = row.route.pattern;
    out.arguments = arguments;
    out.argument_count = found;
    return out;
  }
  return out;
}

std::string Router::allowed(std::string_view path) const {
  static constexpr std::array<std::string_view, 5> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE"};
  std::string out;
  for (const std::string_view method : kMethods) {
    if (match(method, path).route == nullptr) continue;
    if (!out.empty()) out += ", ";
    out += method;
  }
  const Surface surface = place_of(path).surface;
  if (surface == Surface::client || surface == Surface::endpoint) out += ", OPTIONS";
  return out;
}

std::string_view path_of(std::string_view target) noexcept {
  const std::size_t end = std::min(target.find('?'), target.size());
  return {target.data(), end};
}

std::string_view query_of(std::string_view target) noexcept {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '%') {
      out += text.front() == '+' && plus_is_space ? ' ' : text.front();
      text.remove_prefix(1);
      continue;
    }
    const int byte = escaped_byte(text);
    if (byte < 0x20 || byte == 0x7F) return std::nullopt;
    out += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  return out;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto found = percent_decode(pair.substr(0, equals), true);
    if (!found || *found != name) continue;
    return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
  }
  return std::nullopt;
}

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#include "sdk/session/origin.hpp"

#include <algorithm>

namespace keyturn::sdk {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

struct Parts {
  std::string scheme;
  std::string authority;  ///< Host and port, the port always told.
  std::string_view rest;  ///< Path, query, fragment.
};

/// Nothing unless the text is an `http:` or `https:` address in its plainest form. Anything that two parsers
/// might read in different ways is refused: user information, backslashes, white space, control characters,
/// percent signs in the host.
std::optional<Parts> take_apart(std::string_view url) {
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '\\') return std::nullopt;
  }
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Parts out;
  out.scheme = lower(url.substr(0, colon));
  if (out.scheme != "http" && out.scheme != "https") return std::nullopt;
  std::string_view after = url.substr(colon + 3);
  const auto end = after.find_first_of("/?#");
  out.authority = lower(after.substr(0, end));
  out.rest = end == std::string_view::npos ? std::string_view() : after.substr(end);
  if (out.authority.empty() || out.authority.find_first_of("@%,;") != std::string::npos) return std::nullopt;
  const auto port_at = out.authority.rfind(':');
  const bool has_port = port_at != std::string::npos && out.authority.find(']', port_at) == std::string::npos;
  const std::string port = has_port ? out.authority.substr(port_at + 1) : std::string();
  if (has_port) out.authority.resize(port_at);
  const bool digits = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (out.authority.empty() || port.size() > 5 || !digits) return std::nullopt;
  out.authority += ':';
  out.authority += port.empty() ? (out.scheme == "https" ? "443" : "80") : port;
  return out;
}

Error not_allowed() {
  return {ErrorCode::OriginNotAllowed, "the address is not of the app's own origin; the token was not sent"};
}

}  // namespace

Result<std::string> check_base_url(std::string_view base_url) {
  const std::string scheme = lower(base_url.substr(0, 8));
  if (scheme.rfind("http://", 0) != 0 && scheme != "https://")
    return Error(ErrorCode::InvalidConfiguration,
                 "URL missing scheme: the base URL must start with http:// or https://");
  const auto parts = take_apart(base_url);
  if (!parts || parts->rest.find_first_of("?#") != std::string_view::npos)
    return Error(ErrorCode::InvalidConfiguration,
                 "the base URL must be scheme, host, and perhaps a port and a path");
  // One spelling for each server: the store is named by it, and proofs of possession are for it.
  std::string_view authority = parts->authority;
  const std::string_view usual = parts->scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(usual)) authority.remove_suffix(usual.size());
  std::string_view path = parts->rest;
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return parts->scheme + "://" + std::string(authority) + std::string(path);
}

Result<std::string> address_at_origin(std::string_view base_url, std::string_view url) {
  const auto base = take_apart(base_url);
  if (!base) return not_allowed();
  // "//host/" is an address without scheme, not a path.
  if (!url.empty() && url.front() == '/' && url.substr(0, 2) != "//") {
    std::string absolute = base->scheme + "://" + std::string(base_url.substr(base_url.find("://") + 3));
    absolute.resize(absolute.size() - base->rest.size());
    absolute += url;
    if (!take_apart(absolute)) return not_allowed();
    return absolute;
  }
  const auto target = take_apart(url);
  if (!target || target->scheme != base->scheme || target->authority != base->authority) return not_allowed();
  return std::string(url);
}

}  // namespace keyturn::sdk

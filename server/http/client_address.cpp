// SPDX-License-Identifier: Apache-2.0
#include "server/http/client_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

namespace keyturn::server::http {
namespace {

/// In the form of IPv6; IPv4 addresses as ::ffff:a.b.c.d.
using Bytes = std::array<unsigned char, 16>;
constexpr std::size_t kPrefix = 12;  // of those
constexpr std::array<unsigned char, kPrefix> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::optional<Bytes> parse(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  const std::string address(text);
  Bytes bytes{};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return bytes;
  std::copy(kMapped.begin(), kMapped.end(), bytes.begin());
  if (inet_pton(AF_INET, address.c_str(), bytes.data() + kPrefix) == 1) return bytes;
  return std::nullopt;
}

bool is_version_4(const Bytes& address) {
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

bool is_this_machine(const Bytes& address) {
  Bytes loopback{};
  loopback.back() = 1;
  return address == loopback || (is_version_4(address) && address[kPrefix] == 127);
}

std::string text_of(const Bytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_version_4(address)) {
    inet_ntop(AF_INET, address.data() + kPrefix, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

/// The address, or the network of one of IPv6.
Bytes counted_part(const Bytes& address) {
  Bytes network{};
  std::copy_n(address.begin(), 8, network.begin());
  return is_version_4(address) ? address : network;
}

bool is_trusted(const Bytes& address, const std::vector<std::string>& trusted) {
  return std::any_of(trusted.begin(), trusted.end(),
                     [&](const std::string& each) { return parse(each) == address; });
}

/// The elements of all lines, in order.
std::vector<std::string_view> forwarded_for(const HttpHeaders& headers) {
  constexpr std::string_view kName = "x-forwarded-for";
  const auto is_it = [&](std::string_view name) {
    return std::equal(name.begin(), name.end(), kName.begin(), kName.end(), [](char c, char wanted) {
      return (c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) == wanted;
    });
  };
  std::vector<std::string_view> out;
  for (const auto& [name, value] : headers) {
    if (!is_it(name)) continue;
    std::string_view rest = value;
    for (std::size_t comma = rest.find(','); comma != std::string_view::npos; comma = rest.find(',')) {
      out.push_back(rest.substr(0, comma));
      rest.remove_prefix(comma + 1);
    }
    out.push_back(rest);
  }
  return out;
}

}  // namespace

protocol::ClientAddress client_address(std::string_view peer, const HttpHeaders& headers,
                                       const std::vector<std::string>& trusted_proxies) {
  std::optional<Bytes> address = parse(peer);
  if (!address) return {};
  bool is_proxy = is_trusted(*address, trusted_proxies);
  const bool is_counted = is_proxy || !is_this_machine(*address);
  // Each proxy adds at the end whom it heard, so from the end on only those that are trusted may be passed.
  const auto heard = is_proxy ? forwarded_for(headers) : std::vector<std::string_view>();
  for (auto each = heard.rbegin(); is_proxy && each != heard.rend(); ++each) {
    address = parse(*each);
    if (!address) return {};
    is_proxy = is_trusted(*address, trusted_proxies);
  }
  return {text_of(*address), is_counted && !is_proxy ? text_of(counted_part(*address)) : std::string()};
}

}  // namespace keyturn::server::http

// SPDX-License-Identifier: Apache-2.0
#include "server/daemon/own_origins.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <memory>

#include "core/protocol/http_uri.hpp"

namespace keyturn::server::daemon {

std::vector<std::string> interface_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, ::freeifaddrs);
  std::vector<std::string> out;
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const void* bytes = nullptr;
    const int family = each->ifa_addr->sa_family;
    if (family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
    if (family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (bytes != nullptr && ::inet_ntop(family, bytes, text.data(), text.size()) != nullptr)
      out.emplace_back(text.data());
  }
  return out;
}

std::set<std::string, std::less<>> own_origins(std::string_view address, std::uint16_t port,
                                               const std::vector<std::string>& interfaces) {
  std::set<std::string, std::less<>> out;
  const auto add = [&](std::string_view host) {
    const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
    const std::string text = bare_v6 ? "[" + std::string(host) + "]" : std::string(host);
    if (const auto uri = protocol::normal_http_uri("http://" + text + ":" + std::to_string(port)))
      out.insert(uri->origin);
  };
  const bool is_all = address == "0.0.0.0" || address == "::" || address == "[::]";
  const bool is_local =
      address.starts_with("127.") || address == "::1" || address == "[::1]" || address == "localhost";
  if (!is_all) add(address);
  if (is_all || is_local) {
    for (const char* const name : {"localhost", "127.0.0.1", "::1"}) add(name);
  }
  if (is_all) {
    for (const std::string& each : interfaces) add(each);
  }
  return out;
}

}  // namespace keyturn::server::daemon

// SPDX-License-Identifier: Apache-2.0
#include "sdk/transport/transport_options.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

namespace keyturn::sdk {
namespace {

constexpr std::string_view kPinStart = "sha256//";
constexpr std::size_t kPinSize = 8 + 44;  // 32 bytes in base64

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_proxy(std::string_view address) {
  constexpr std::array<std::string_view, 4> kKinds{"http://", "https://", "socks5://", "socks5h://"};
  return is_printable(address) && std::any_of(kKinds.begin(), kKinds.end(), [&](std::string_view kind) {
           return address.starts_with(kind) && address.size() > kind.size();
         });
}

bool is_pin(std::string_view pin) {
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return pin.size() == kPinSize && pin.starts_with(kPinStart) && pin.back() == '=' &&
         std::all_of(pin.begin() + kPinStart.size(), pin.end() - 1, is_base64);
}

Error refused(const char* what) { return {ErrorCode::InvalidConfiguration, what}; }

}  // namespace

Result<TransportOptions> transport_options(const NetworkConfiguration& network) {
  TransportOptions out;
  if (network.proxy == "direct") {
    out.no_proxy = true;
  } else if (!network.proxy.empty()) {
    if (!is_proxy(network.proxy))
      return refused(
          "the proxy must be \"direct\" or an address that starts with http, https, socks5 or socks5h");
    out.proxy = network.proxy;
  }
  if (!network.ca_file.empty()) {
    if (!std::ifstream(network.ca_file)) return refused("the file of certificate authorities cannot be read");
    out.ca_file = network.ca_file.string();
  }
  for (const std::string& pin : network.pinned_keys) {
    if (!is_pin(pin)) return refused("a pinned key must be \"sha256//\" and 32 bytes in base64");
    out.pinned_keys += (out.pinned_keys.empty() ? "" : ";") + pin;
  }
  if (network.attempt_timeout.count() <= 0) return refused("the time of an attempt must be above zero");
  return out;
}

}  // namespace keyturn::sdk

// SPDX-License-Identifier: Apache-2.0
#include "server/api/functions/endpoint_route.hpp"

#include <algorithm>

#include "server/api/router.hpp"

namespace keyturn::server::api {
namespace {

/// Takes one "/part" off the front and gives the part.
std::string_view take_part(std::string_view& path) noexcept {
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(part.size());
  return part;
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

bool is_endpoint_route(std::string_view route) noexcept {
  constexpr std::string_view kDataApi = "/data/";
  if (route == "/") return true;
  if (route.empty() || route.front() != '/' || has_control(route)) return false;
  if (route.substr(0, kDataApi.size()) == kDataApi) return false;
  std::size_t parts = 0;
  while (!route.empty()) {
    if (take_part(route).empty() || ++parts > kMostRouteParts) return false;
  }
  return true;
}

bool is_endpoint_method(std::string_view method) noexcept {
  return method.empty() || method == "*" ||
         std::find(kEndpointMethods.begin(), kEndpointMethods.end(), method) != kEndpointMethods.end();
}

std::string endpoint_route_of(std::string_view path) {
  for (int i = 0; i < 3; ++i) take_part(path);  // "app", the app's id, "endpoint"
  return percent_decode(path).value_or("");
}

}  // namespace keyturn::server::api

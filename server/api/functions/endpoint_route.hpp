// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

// Which routes and methods a custom HTTPS endpoint may have (data-api.md 7). Pure.
namespace keyturn::server::api {

/// One pattern for each number of parts, the root's first.
inline constexpr std::array<std::string_view, 9> kEndpointPatterns{
    "/app/{}/endpoint/",
    "/app/{}/endpoint/{}",
    "/app/{}/endpoint/{}/{}",
    "/app/{}/endpoint/{}/{}/{}",
    "/app/{}/endpoint/{}/{}/{}/{}",
    "/app/{}/endpoint/{}/{}/{}/{}/{}",
    "/app/{}/endpoint/{}/{}/{}/{}/{}/{}",
    "/app/{}/endpoint/{}/{}/{}/{}/{}/{}/{}",
    "/app/{}/endpoint/{}/{}/{}/{}/{}/{}/{}/{}"};
inline constexpr std::size_t kMostRouteParts = kEndpointPatterns.size() - 1;
inline constexpr std::array<std::string_view, 5> kEndpointMethods{"GET", "POST", "PUT", "PATCH", "DELETE"};

/// Whether requests can reach an endpoint of that route: "/", or at most `kMostRouteParts` parts, none of
/// them empty or with control characters, outside the Data API's "/data/".
[[nodiscard]] bool is_endpoint_route(std::string_view route) noexcept;

/// A method, "*", or nothing, which stands for every method, too.
[[nodiscard]] bool is_endpoint_method(std::string_view method) noexcept;

/// The route in the path of a request that fits one of the patterns, decoded; empty when it cannot be.
[[nodiscard]] std::string endpoint_route_of(std::string_view path);

}  // namespace keyturn::server::api

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// Header lines in order; names compare without regard to case (RFC 9110 section 5.1).
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The value of the first line with that name.
[[nodiscard]] std::optional<std::string_view> find_header(const HttpHeaders& headers,
                                                          std::string_view name) noexcept;

/// What to ask a server. A plain value.
struct HttpRequest {
  std::string method = "GET";
  /// Absolute `http:` or `https:` address, or a path that starts with `/` where the callee has a base
  /// address.
  std::string url;
  HttpHeaders headers{};
  std::string body{};
  /// Limit of the whole exchange; sdk-behaviour.md section 13 gives the default.
  std::chrono::milliseconds timeout{60'000};
};

/// What a server answered. A plain value.
struct HttpResponse {
  int status = 0;
  HttpHeaders headers{};
  std::string body{};
};

}  // namespace keyturn

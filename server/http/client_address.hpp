// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/http.hpp>

namespace keyturn::server::http {

/// Whose tries to guess are counted together (row B-77): an IPv4 address, or the first 64 bits of an IPv6
/// address, which one household or machine has to itself. What a proxy says of its client (`X-Forwarded-For`)
/// counts when the proxy is in `trusted_proxies`, else nobody could be told from anybody (rule V21).
///
/// Empty when nothing is known that is worth a limit: the peer is this machine itself, perhaps a proxy that
/// nobody told us of, and a limit would hold up all of its clients.
[[nodiscard]] std::string client_address(std::string_view peer, const HttpHeaders& headers,
                                         const std::vector<std::string>& trusted_proxies);

}  // namespace keyturn::server::http

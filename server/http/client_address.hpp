// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <keyturn/base/http.hpp>

#include "core/protocol/request_handler.hpp"

namespace keyturn::server::http {

/// Where a request comes from. What a proxy says of its client (`X-Forwarded-For`) counts when the proxy is
/// in `trusted_proxies`, else nobody could be told from anybody (rule V21).
///
/// `counted_as` is an IPv4 address, or the first 64 bits of an IPv6 address, which one household or machine
/// has to itself. It is empty when nothing is known that is worth a limit: the peer is this machine itself,
/// perhaps a proxy that nobody told us of, or a trusted proxy, and a limit would hold up all of its clients.
[[nodiscard]] protocol::ClientAddress client_address(std::string_view peer, const HttpHeaders& headers,
                                                     const std::vector<std::string>& trusted_proxies);

}  // namespace keyturn::server::http

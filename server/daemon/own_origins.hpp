// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn::server::daemon {

/// The addresses of this machine's interfaces, as texts.
[[nodiscard]] std::vector<std::string> interface_addresses();

/// By which origins a server that listens there can be reached, as far as it can know by itself: that
/// address, the forms of localhost when it is one of them or all, and each of `interfaces` when it is all.
[[nodiscard]] std::set<std::string, std::less<>> own_origins(std::string_view address, std::uint16_t port,
                                                             const std::vector<std::string>& interfaces);

}  // namespace keyturn::server::daemon
